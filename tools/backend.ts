/** Finds and reads the engine's state of a stack: in a local file directly, otherwise through the engine. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { type State, stateSchema } from "../policy/state.ts";
import { defaultStateFolder, ownEnvironment } from "../toolchain/src/environment.ts";

/** The folder of the state when it lies on this machine; undefined when it is in a bucket or a service. */
export function localState(root: string): string | undefined {
  const url = ownEnvironment(root, process.env)["PULUMI_BACKEND_URL"] || backendOf(root);
  if (!url) return join(defaultStateFolder(root), ".pulumi");
  return url.startsWith("file:///") ? join(fileURLToPath(new URL(url)), ".pulumi") : undefined;
}

const projectSchema = z.object({ backend: z.object({ url: z.string().optional() }).optional() });

/** The state's URL in Pulumi.yaml. */
function backendOf(root: string): string | undefined {
  const path = join(root, "Pulumi.yaml");
  return existsSync(path) ? projectSchema.parse(parse(readFileSync(path, "utf8"))).backend?.url : undefined;
}

/** Whether the stack exists. A local file is checked directly, since a call of the engine takes a second. */
export function stackExists(root: string, stack: string): boolean {
  const state = localState(root);
  if (state !== undefined) return existsSync(join(state, "stacks", "orion", `${stack}.json`));
  return runSync("pulumi", ["stack", "export", "--stack", stack, "--cwd", root]).code === 0;
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
  const state = localState(root);
  if (state !== undefined) {
    const text = readFileSync(join(state, "stacks", "orion", `${stack}.json`), "utf8");
    return fileSchema.parse(JSON.parse(text)).checkpoint.latest ?? { resources: [] };
  }
  const { code, stdout, stderr } = runSync("pulumi", ["stack", "export", "--stack", stack, "--cwd", root]);
  if (code !== 0) throw new UserError(`The state of '${stack}' could not be read:\n${stderr.trim()}`);
  return exportSchema.parse(JSON.parse(stdout)).deployment ?? { resources: [] };
}
