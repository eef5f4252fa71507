/** What the engine is told by its environment. Pure: whatever has to be read is handed in. */
import { delimiter, dirname, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Situation {
  /** The folder of the Pulumi project at work. */
  readonly root: string;
  /** The folder of the engine's programs. */
  readonly engineFolder: string;
  /** The folder of a Node.js that runs TypeScript; the machine's own may be older. */
  readonly nodeFolder: string;
  /** The user's environment, as far as the project may see it. */
  readonly env: Environment;
  /** The stack at work, where it is known. */
  readonly stack: string | undefined;
  /** Text of Pulumi.yaml. */
  readonly projectFile: string;
  /** Text of the stack's Pulumi.<stack>.yaml, where there is one. */
  readonly stackFile: string | undefined;
}

/**
 * Guards the generated passwords of the development stack, whose containers listen on the loopback address only. It is
 * no secret; what it buys is a `make up` that asks nothing.
 */
export const developmentPassphrase = "orion-development";

/** Where the state lies, when the user has chosen no other place. */
export const defaultStateFolder = (root: string): string => join(root, ".orion", "state");

/** The cloud on which a Pulumi project is a rehearsal, as `make rehearse` lays it out below the cloud's folder. */
export const rehearsalCloud = (root: string): string | undefined =>
  /\/\.orion\/cloud\/([^/]+)\/stacks\/[^/]+$/.exec(root)?.[1];

const isRehearsal = (root: string): boolean => rehearsalCloud(root) !== undefined;

/**
 * The environment that a project may see. A rehearsal is of the same name as a real stack: where that one's state lies, what
 * opens it and the keys of real accounts are none of its business.
 */
export const ownEnvironment = (root: string, env: Environment): Environment =>
  isRehearsal(root) ? Object.fromEntries(Object.entries(env).filter(([name]) => !ofRealStacks.test(name))) : env;

const ofRealStacks = /^(PULUMI_BACKEND_URL|PULUMI_CONFIG_PASSPHRASE(_FILE)?|(HCLOUD|CLOUDFLARE)_.*)$/;

/** The user's environment, with what the engine needs on top; what the user has set is never changed. */
export function engineEnvironment(situation: Situation): Record<string, string | undefined> {
  const { root, engineFolder, nodeFolder, env } = situation;
  return {
    ...env,
    // The engine's folder holds the language host, which starts the first Node.js that it finds.
    PATH: [engineFolder, nodeFolder, env["PATH"] ?? ""].join(delimiter),
    // What Node.js has compiled once it need not compile again: half a second of each run.
    NODE_COMPILE_CACHE: env["NODE_COMPILE_CACHE"] ?? join(root, ".orion", "cache", "node"),
    PULUMI_SKIP_UPDATE_CHECK: env["PULUMI_SKIP_UPDATE_CHECK"] ?? "true",
    // Without a file of attributes beside each: those are not written in one step, and nobody needs them.
    ...(usesDefaultBackend(situation) && { PULUMI_BACKEND_URL: `file://${defaultStateFolder(root)}?metadata=skip` }),
    ...(usesDevelopmentPassphrase(situation) && { PULUMI_CONFIG_PASSPHRASE: developmentPassphrase }),
  };
}

/** Whether neither the user nor the project says where the state lies. A login counts for other projects only. */
export function usesDefaultBackend({ env, projectFile }: Situation): boolean {
  return !env["PULUMI_BACKEND_URL"] && !/^backend:/m.test(projectFile);
}

/**
 * Whether the engine gets the well-known passphrase: for a rehearsal, and for a stack without servers and with local state
 * alone. A phase that does not exist counts as such, so that the program gets to say so.
 */
export function usesDevelopmentPassphrase(situation: Situation): boolean {
  const { root, env, stackFile } = situation;
  if (isRehearsal(root)) return true;
  // An empty passphrase is a choice, too.
  const chosen = env["PULUMI_CONFIG_PASSPHRASE"] !== undefined || env["PULUMI_CONFIG_PASSPHRASE_FILE"] !== undefined;
  const [, phase] = /^\s+["']?orion:phase["']?:\s*["']?([^\s"'#]+)/m.exec(stackFile ?? "") ?? [];
  return !chosen && usesDefaultBackend(situation) && phase !== undefined && !phasesWithServers.includes(phase);
}

const phasesWithServers = ["mvp", "scale", "enterprise", "ha"];

/**
 * The stack that a command is about: from its arguments, PULUMI_STACK, or what is selected.
 *
 * @param selected called only when nothing else names a stack
 */
export function stackOf(
  args: readonly string[],
  env: Environment,
  selected: () => string | undefined,
): string | undefined {
  const named = fromFlag(args, "s", "stack") ?? fromStackCommand(args) ?? env["PULUMI_STACK"] ?? selected();
  // `organization/project/stack` is the long form of `stack`.
  return named?.split("/").pop();
}

/** The folder that a command works in: that of `--cwd`, else the current one. */
export const folderOf = (args: readonly string[]): string => fromFlag(args, "C", "cwd") ?? ".";

/** The project that a folder belongs to, found as the engine finds it: the nearest folder upwards with a Pulumi.yaml. */
export function projectOf(folder: string, exists: (path: string) => boolean): string | undefined {
  if (exists(join(folder, "Pulumi.yaml"))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : projectOf(parent, exists);
}

/** The value of a flag in any of its spellings: `-s dev`, `-sdev`, `--stack dev`, `--stack=dev`. */
function fromFlag(args: readonly string[], short: string, long: string): string | undefined {
  const attached = new RegExp(`^(?:--${long}=|-${short}=?)(.+)$`);
  for (const [index, argument] of args.entries()) {
    // What follows is not the engine's.
    if (argument === "--") return undefined;
    if (argument === `-${short}` || argument === `--${long}`) return args[index + 1];
    const [, value] = attached.exec(argument) ?? [];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** `pulumi stack init dev`, `select` and `rm` name the stack as they would a file. */
function fromStackCommand([command, action, ...rest]: readonly string[]): string | undefined {
  const takesName = command === "stack" && ["init", "select", "rm"].includes(action ?? "");
  return takesName ? rest.find((argument) => !argument.startsWith("-")) : undefined;
}
