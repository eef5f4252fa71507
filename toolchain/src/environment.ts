/** Computes the environment variables for the engine: backend, passphrase, PATH. Pure: files are read by the caller. */
import { delimiter, dirname, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

export interface EngineContext {
  /** Folder of the Pulumi project that the command works on. */
  readonly root: string;
  /** The folder of the engine's programs. */
  readonly engineFolder: string;
  /** Folder of a Node.js that runs TypeScript; the one on the user's PATH may be too old. */
  readonly nodeFolder: string;
  /** The user's environment, filtered by `ownEnvironment`. */
  readonly env: Environment;
  /** Name of the selected stack, if known. */
  readonly stack: string | undefined;
  /** Text of Pulumi.yaml. */
  readonly projectFile: string;
  /** Text of the stack's Pulumi.<stack>.yaml, if the file exists. */
  readonly stackFile: string | undefined;
  /** Path of a module that Node.js loads first in the processes that the engine starts. @default - none */
  readonly preload?: string | undefined;
}

/**
 * Encrypts the generated passwords of the development stack, whose containers listen on the loopback address only. It is
 * not a secret; it lets `make up` run without asking for a passphrase.
 */
export const developmentPassphrase = "orion-development";

/** Folder of the local state, unless the user chose another backend. */
export const defaultStateFolder = (root: string): string => join(root, ".orion", "state");

/**
 * The address of a stack's own state: `orion:stateUrl` in its file. A rehearsal has none, whatever its file says: it has the name of a
 * real stack and must not see its state.
 */
export const stateUrlIn = (root: string, stackFile: string | undefined): string | undefined =>
  isRehearsal(root) ? undefined : /^\s+["']?orion:stateUrl["']?:\s*["']?([^\s"']+)/m.exec(stackFile ?? "")?.[1];

/** Name of the rehearsal cloud that a project belongs to (`make rehearse` puts it below the cloud's folder); undefined for a real one. */
export const rehearsalCloud = (root: string): string | undefined =>
  /\/\.orion\/cloud\/([^/]+)\/stacks\/[^/]+$/.exec(root)?.[1];

/** The variables of a make command for a stack. @param cloud for a rehearsal, its cloud. @example STACK=prod REHEARSAL=1 CLOUD=main */
export const makeVariables = (stack: string, cloud: string | undefined): string =>
  `STACK=${stack}${cloud === undefined ? "" : ` REHEARSAL=1 CLOUD=${cloud}`}`;

const isRehearsal = (root: string): boolean => rehearsalCloud(root) !== undefined;

/**
 * The user's environment without the variables of real stacks, for a rehearsal. A rehearsal has the same name as a real
 * stack and must see neither its state backend, its passphrase nor the tokens of real accounts.
 */
export const ownEnvironment = (root: string, env: Environment): Environment =>
  isRehearsal(root) ? Object.fromEntries(Object.entries(env).filter(([name]) => !ofRealStacks.test(name))) : env;

const ofRealStacks = /^(PULUMI_BACKEND_URL|PULUMI_CONFIG_PASSPHRASE(_FILE)?|(HCLOUD|CLOUDFLARE)_.*)$/;

/** Adds to the user's environment what the engine needs; variables that the user set are never changed. */
export function engineEnvironment(situation: EngineContext): Record<string, string | undefined> {
  const { root, engineFolder, nodeFolder, env, stackFile, preload } = situation;
  const own = env["PULUMI_BACKEND_URL"] ? undefined : stateUrlIn(root, stackFile);
  return {
    ...env,
    // The engine finds its language host on the PATH, and that starts the first Node.js on the PATH.
    PATH: [engineFolder, nodeFolder, env["PATH"] ?? ""].join(delimiter),
    // Node.js keeps compiled code here, which saves half a second per run.
    NODE_COMPILE_CACHE: env["NODE_COMPILE_CACHE"] ?? join(root, ".orion", "cache", "node"),
    ...(preload !== undefined && { NODE_OPTIONS: withPreload(env["NODE_OPTIONS"] ?? "", preload) }),
    PULUMI_SKIP_UPDATE_CHECK: env["PULUMI_SKIP_UPDATE_CHECK"] ?? "true",
    ...collectorOf(env),
    // metadata=skip: attribute files beside each state file are not written atomically, and nothing reads them.
    ...(own !== undefined && { PULUMI_BACKEND_URL: own }),
    ...checksums(own ?? env["PULUMI_BACKEND_URL"], env),
    ...(usesDefaultBackend(situation) && { PULUMI_BACKEND_URL: `file://${defaultStateFolder(root)}?metadata=skip` }),
    ...(usesDevelopmentPassphrase(situation) && { PULUMI_CONFIG_PASSPHRASE: developmentPassphrase }),
  };
}

/**
 * Settings of Go's garbage collector, in engine and plugins: the engine writes its whole state as text after each step, and with
 * Go's default of 100 it spends a quarter of its processor time on collecting what that leaves (an update that makes 150 servers: 21.7 s
 * with 100, 15.9 s with 400). Above the memory limit it collects as often as it has to.
 */
const collectorOf = (env: Environment): Environment => ({
  GOGC: env["GOGC"] ?? "400",
  GOMEMLIMIT: env["GOMEMLIMIT"] ?? "1GiB",
});

/** Options of Node.js with the module to load first, once: the program may start the engine, too. */
function withPreload(options: string, path: string): string {
  // Node.js reads quotes and backslashes as JSON has them.
  const option = `--require ${JSON.stringify(path)}`;
  return options.includes(option) ? options : [options, option].filter(Boolean).join(" ");
}

/** Whether the user wants the debug messages of engine and SDK: `pulumi up --debug`. */
export const wantsDebug = (args: readonly string[]): boolean => args.some((one) => one === "--debug" || one === "-d");

/**
 * R2 and other S3 servers than Amazon's refuse the checksums that Amazon's SDK sends with every upload. From version 3.256 on the
 * engine leaves them out by itself where an endpoint is given.
 */
const checksums = (url: string | undefined, env: Environment): Environment =>
  url !== undefined && /^s3:.*[?&]endpoint=/.test(url)
    ? Object.fromEntries(
        ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"].map((name) => [
          name,
          env[name] ?? "when_required",
        ]),
      )
    : {};

/**
 * Whether neither user, stack nor project chose a backend. A `pulumi login` is ignored here: it is meant for other projects.
 */
export function usesDefaultBackend({ root, env, projectFile, stackFile }: EngineContext): boolean {
  return !env["PULUMI_BACKEND_URL"] && stateUrlIn(root, stackFile) === undefined && !/^backend:/m.test(projectFile);
}

/**
 * Whether the engine gets the well-known passphrase: in a rehearsal, and for a stack that has no servers and keeps its state
 * locally. An unknown phase counts as one without servers, so that the program runs and reports it.
 */
export function usesDevelopmentPassphrase(situation: EngineContext): boolean {
  const { root, env, stackFile } = situation;
  if (isRehearsal(root)) return true;
  // An empty passphrase is also a choice of the user.
  const chosen = env["PULUMI_CONFIG_PASSPHRASE"] !== undefined || env["PULUMI_CONFIG_PASSPHRASE_FILE"] !== undefined;
  const [, phase] = /^\s+["']?orion:phase["']?:\s*["']?([^\s"'#]+)/m.exec(stackFile ?? "") ?? [];
  return !chosen && usesDefaultBackend(situation) && phase !== undefined && !phasesWithServers.includes(phase);
}

const phasesWithServers = ["mvp", "scale", "enterprise", "ha"];

/**
 * The stack that a command works on: from its arguments, PULUMI_STACK, or the selected stack.
 *
 * @param selected reads the selected stack; called only when neither arguments nor environment name one
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

/** The folder that a command works in: `--cwd`, else the current folder. */
export const folderOf = (args: readonly string[]): string => fromFlag(args, "C", "cwd") ?? ".";

/** The project of a folder, found as the engine does: the nearest folder upwards with a Pulumi.yaml. */
export function projectOf(folder: string, exists: (path: string) => boolean): string | undefined {
  if (exists(join(folder, "Pulumi.yaml"))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : projectOf(parent, exists);
}

/** The value of a flag in any of its spellings: `-s dev`, `-sdev`, `--stack dev`, `--stack=dev`. */
function fromFlag(args: readonly string[], short: string, long: string): string | undefined {
  const attached = new RegExp(`^(?:--${long}=|-${short}=?)(.+)$`);
  for (const [index, argument] of args.entries()) {
    // Arguments after `--` are not options of the engine.
    if (argument === "--") return undefined;
    if (argument === `-${short}` || argument === `--${long}`) return args[index + 1];
    const [, value] = attached.exec(argument) ?? [];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** `pulumi stack init dev`, `select` and `rm` take the stack as a plain argument. */
function fromStackCommand([command, action, ...rest]: readonly string[]): string | undefined {
  const takesName = command === "stack" && ["init", "select", "rm"].includes(action ?? "");
  return takesName ? rest.find((argument) => !argument.startsWith("-")) : undefined;
}
