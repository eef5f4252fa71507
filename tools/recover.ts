/**
 * What an update that was killed leaves behind, and how the next one gets past it: a lock of a process that is no more,
 * and containers or networks that were made but never noted in the state.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, relative } from "node:path";
import { z } from "zod";
import { localState } from "./backend.ts";
import { hostArguments } from "./docker.ts";
import { capture } from "./run.ts";
import { UserError } from "./user-error.ts";

const lockSchema = z.object({ pid: z.number(), username: z.string(), hostname: z.string(), timestamp: z.string() });
const operationSchema = z.object({
  type: z.string(),
  resource: z.object({
    urn: z.string(),
    type: z.string(),
    inputs: z.record(z.string(), z.unknown()).default({}),
  }),
});
const exportSchema = z.object({
  version: z.number(),
  deployment: z.looseObject({
    resources: z.array(z.looseObject({ urn: z.string(), id: z.string().optional() })).default([]),
    pending_operations: z.array(operationSchema).default([]),
  }),
});

type Deployment = z.infer<typeof exportSchema>["deployment"];

/** Something that an interrupted update made and that no state knows. */
export interface Orphan {
  readonly kind: "container" | "network";
  readonly name: string;
}

const orphanKinds: Readonly<Record<string, Orphan["kind"]>> = {
  "docker:index/container:Container": "container",
  "docker:index/network:Network": "network",
};

/**
 * The containers and networks whose creation was under way. Volumes are not among them: Docker gives an existing one
 * of that name to whoever creates it, so nothing has to go and no data can.
 */
export function orphansOf(deployment: Deployment): Orphan[] {
  return deployment.pending_operations
    .filter(({ type }) => type === "creating")
    .flatMap(({ resource }) => {
      const kind = orphanKinds[resource.type];
      const name = resource.inputs["name"];
      return kind && typeof name === "string" ? [{ kind, name }] : [];
    });
}

/** Whether the process of a lock can still be at work: unknown on another machine, so yes. */
export function lockIsAlive(
  lock: z.infer<typeof lockSchema>,
  thisHost: string,
  runs: (pid: number) => boolean,
): boolean {
  return lock.hostname !== thisHost || runs(lock.pid);
}

/**
 * Clears the way for an update of the stack.
 *
 * @param say told what was found and done, a line each
 * @throws {UserError} when another update of the stack is at work
 */
export function recover(root: string, stack: string, dockerHost: string, say: (line: string) => void): void {
  removeStaleLock(root, stack, say);
  const exported = capture("pulumi", ["stack", "export", "--stack", stack, "--cwd", root]);
  if (exported.code !== 0) return;
  const checkpoint = exportSchema.parse(JSON.parse(exported.stdout));
  if (checkpoint.deployment.pending_operations.length === 0) return;

  say(`The last update of '${stack}' was interrupted; what it had under way is cleared:`);
  const ids = new Set(checkpoint.deployment.resources.map(({ id }) => id));
  for (const orphan of orphansOf(checkpoint.deployment)) removeOrphan(orphan, ids, dockerHost, say);
  const cleared = { ...checkpoint, deployment: { ...checkpoint.deployment, pending_operations: [] } };
  const imported = capture("pulumi", ["stack", "import", "--stack", stack, "--cwd", root], JSON.stringify(cleared));
  if (imported.code !== 0) throw new UserError(`The state of '${stack}' could not be cleared:\n${imported.stderr}`);
}

function removeOrphan(
  { kind, name }: Orphan,
  ids: ReadonlySet<string | undefined>,
  dockerHost: string,
  say: (line: string) => void,
): void {
  const docker = (...args: string[]) => capture("docker", [...hostArguments(dockerHost), ...args]);
  const found = docker(kind, "inspect", "--format", "{{.ID}}", name);
  const id = found.stdout.trim();
  // Known to the state: the creation was that of its successor, which did not come to be.
  if (found.code !== 0 || ids.has(id)) return;
  docker(kind, "rm", ...(kind === "container" ? ["--force"] : []), name);
  say(`  ${kind} ${name}: was made but not noted; removed, it will be made again`);
}

/** Locks lie as files only where the state does. */
function removeStaleLock(root: string, stack: string, say: (line: string) => void): void {
  const state = localState(root);
  const directory = state && join(state, "locks", "organization", "orion", stack);
  if (!directory || !existsSync(directory)) return;
  const locks = readdirSync(directory)
    // Beside each lock lies a file of attributes.
    .filter((file) => file.endsWith(".json"))
    .map((file) => lockSchema.parse(JSON.parse(readFileSync(join(directory, file), "utf8"))));
  const alive = locks.find((lock) => lockIsAlive(lock, hostname(), processRuns));
  if (alive) {
    throw new UserError(
      `Another update of '${stack}' is at work (process ${alive.pid} of ${alive.username} on ${alive.hostname}, since ${alive.timestamp}). ` +
        `Wait for its end, or, if you are sure that there is none: npx pulumi cancel --stack ${stack} --cwd ${relative(process.cwd(), root) || "."}`,
    );
  }
  if (locks.length === 0) return;
  capture("pulumi", ["cancel", "--yes", "--stack", stack, "--cwd", root]);
  say(`A lock of an update that no longer runs was removed.`);
}

function processRuns(pid: number): boolean {
  // Where /proc tells more: a dead process that nobody has waited for counts as none, nor does another program of that id.
  if (existsSync("/proc/self/stat")) return isRunningEngine(readOr(`/proc/${pid}/stat`, ""));
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Whether a line of /proc/<pid>/stat is of an engine that runs: `4711 (pulumi) S ...`. */
export const isRunningEngine = (stat: string): boolean => /^\d+ \(pulumi\) [^ZXx] /.test(stat);

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
