/** Entry of `npx pulumi`: installs the engine when it is missing, then runs it with the environment that it needs. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import {
  defaultStateFolder,
  engineEnvironment,
  folderOf,
  ownEnvironment,
  projectOf,
  type EngineContext,
  stackOf,
  usesDefaultBackend,
  usesDevelopmentPassphrase,
  wantsDebug,
} from "./environment.ts";
import { engineFolder, isInstalled, partsOf, type ToolchainPaths, toolchainPaths } from "./parts.ts";

const signals = ["SIGTERM", "SIGHUP", "SIGINT"] as const;

async function main(root: string, args: readonly string[]): Promise<void> {
  const places = toolchainPaths(root, process.env);
  if (!partsOf(places).every((part) => !part.buildable || isInstalled(part))) {
    // Loaded only when needed: in most runs everything is installed.
    const { ensureEngine } = await import("./engine.ts");
    await ensureEngine(places);
  }
  const situation = describe(places, args);
  if (usesDefaultBackend(situation)) mkdirSync(defaultStateFolder(situation.root), { recursive: true, mode: 0o700 });
  const env = engineEnvironment(situation);
  const { code, signal } = await runEngine(join(situation.engineFolder, "pulumi"), args, env);
  if (code !== 0) await explain(situation, env);
  if (signal) process.kill(process.pid, signal);
  else process.exitCode = code ?? 1;
}

function describe(places: ToolchainPaths, args: readonly string[]): EngineContext {
  const root = projectOf(resolve(folderOf(args)), (path) => existsSync(path)) ?? places.root;
  const projectFile = read(join(root, "Pulumi.yaml")) ?? "";
  const stack = stackOf(args, process.env, () => selectedStack(root, places.pulumiHome, projectFile));
  return {
    root,
    engineFolder: engineFolder(places),
    nodeFolder: dirname(process.execPath),
    env: ownEnvironment(root, process.env),
    stack,
    projectFile,
    stackFile: stack === undefined ? undefined : read(join(root, `Pulumi.${stack}.yaml`)),
    // Without it the SDK sends its debug messages.
    preload: wantsDebug(args) ? undefined : join(import.meta.dirname, "preload.cjs"),
  };
}

/** The stack that `pulumi stack select` noted for this project. */
function selectedStack(root: string, pulumiHome: string, projectFile: string): string | undefined {
  const project = projectName(projectFile);
  const id = createHash("sha1").update(join(root, "Pulumi.yaml")).digest("hex");
  const noted = read(join(pulumiHome, "workspaces", `${project}-${id}-workspace.json`));
  return /"stack":\s*"([^"]+)"/.exec(noted ?? "")?.[1];
}

const projectName = (projectFile: string): string => /^name:\s*["']?([^\s"']+)/m.exec(projectFile)?.[1] ?? "";

function runEngine(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((settle, reject) => {
    // Registered before the engine starts: a signal in between would end this process and orphan the engine.
    for (const signal of signals) {
      // A terminal sends Ctrl-C to the engine as well; a second one would end an update without cleaning up.
      process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY ? false : child.kill(signal)));
    }
    const child = spawn(program, [...args], { stdio: "inherit", env });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const name of signals) process.removeAllListeners(name);
      settle({ code, signal });
    });
  });
}

/** After a failure: prints what to set if the passphrase was wrong, which the engine's own message does not say. */
async function explain(situation: EngineContext, env: NodeJS.ProcessEnv): Promise<void> {
  const { root, stack, stackFile, projectFile } = situation;
  if (stack === undefined) return;
  const { passphraseHint, saltsOf } = await import("./passphrase.ts");
  const state = usesDefaultBackend(situation)
    ? read(join(defaultStateFolder(root), ".pulumi", "stacks", projectName(projectFile), `${stack}.json`))
    : undefined;
  const hint = passphraseHint(stack, env, usesDevelopmentPassphrase(situation), saltsOf(stackFile, state));
  if (hint !== undefined) process.stderr.write(`\n${hint}\n`);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

try {
  await main(resolve(import.meta.dirname, "..", ".."), process.argv.slice(2));
} catch (error) {
  const { UserError } = await import("../../common/user-error.ts");
  process.stderr.write(
    `error: ${error instanceof UserError ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exitCode = 1;
}
