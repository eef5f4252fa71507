/** Finds and reads the engine's state of a stack: in a local file directly, otherwise through the engine. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { parse } from "yaml";
import { z } from "zod";
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { type State, stateSchema } from "../policy/state.ts";
import { defaultStateFolder, ownEnvironment, stateUrlIn } from "../toolchain/src/environment.ts";

/** The address of a stack's state, as the engine's wrapper finds it. */
export function stateUrlOf(root: string, stack: string): string {
  const chosen = ownEnvironment(root, process.env)["PULUMI_BACKEND_URL"] || ofStack(root, stack) || backendIn(root);
  return chosen || `file://${defaultStateFolder(root)}`;
}

function ofStack(root: string, stack: string): string | undefined {
  const path = join(root, `Pulumi.${stack}.yaml`);
  return existsSync(path) ? stateUrlIn(root, readFileSync(path, "utf8")) : undefined;
}

/** The folder of a stack's state when it lies on this machine; undefined when it is in a bucket or a service. */
export const localState = (root: string, stack: string): string | undefined => folderAt(stateUrlOf(root, stack));

const folderAt = (url: string): string | undefined =>
  url.startsWith("file:///") ? join(fileURLToPath(new URL(url)), ".pulumi") : undefined;

const projectSchema = z.object({ backend: z.object({ url: z.string().optional() }).optional() });

/** The state's URL in Pulumi.yaml. */
export function backendIn(root: string): string | undefined {
  const path = join(root, "Pulumi.yaml");
  return existsSync(path) ? projectSchema.parse(parse(readFileSync(path, "utf8"))).backend?.url : undefined;
}

/** Whether the stack exists. A local file is checked directly, since a call of the engine takes a second. */
export function stackExists(root: string, stack: string): boolean {
  const state = localState(root, stack);
  if (state !== undefined) return fileOf(state, stack) !== undefined;
  return runSync("pulumi", ["stack", "export", "--stack", stack, "--cwd", root]).code === 0;
}

/** The file of a stack's state; the engine compresses it with PULUMI_DIY_BACKEND_GZIP. */
function fileOf(folder: string, stack: string): string | undefined {
  const path = join(folder, "stacks", "orion", `${stack}.json`);
  return [path, `${path}.gz`].find((one) => existsSync(one));
}

const exportSchema = z.object({ deployment: stateSchema.nullish() });
const fileSchema = z.object({ checkpoint: z.object({ latest: stateSchema.nullish() }) });

/**
 * The state of a stack; undefined when there is no such stack.
 *
 * @throws {UserError} when the state exists and cannot be read
 */
export function stateOf(root: string, stack: string): State | undefined {
  if (!stackExists(root, stack)) return undefined;
  const state = localState(root, stack);
  return (state === undefined ? undefined : readFile(state, stack)) ?? exported(root, stack);
}

/**
 * The state of the stack that the engine is running, for the program: read from where this process's engine keeps it.
 *
 * @throws {UserError} when it cannot be read
 */
export function runningState(root: string, stack: string): State {
  // The engine has passed its environment on; without the variable, it uses Pulumi.yaml or the login of its user.
  const url = process.env["PULUMI_BACKEND_URL"] || backendIn(root);
  const folder = url === undefined ? undefined : folderAt(url);
  return (folder === undefined ? undefined : readFile(folder, stack)) ?? exported(root, stack);
}

function readFile(folder: string, stack: string): State | undefined {
  const path = fileOf(folder, stack);
  if (path === undefined) return undefined;
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return fileSchema.parse(JSON.parse(text)).checkpoint.latest ?? { resources: [] };
}

function exported(root: string, stack: string): State {
  const { code, stdout, stderr } = runSync("pulumi", ["stack", "export", "--stack", stack, "--cwd", root]);
  if (code !== 0) throw new UserError(`The state of '${stack}' could not be read:\n${stderr.trim()}`);
  return exportSchema.parse(JSON.parse(stdout)).deployment ?? { resources: [] };
}
