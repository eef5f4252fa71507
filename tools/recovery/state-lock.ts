/** Removes the stale lock of a stack's state, which an engine that was killed has left. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, relative } from "node:path";
import { z } from "zod";
import { runSync } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import { localState } from "../../guard/backend.ts";
import { isRunningEngine } from "./left-plugins.ts";

const lockSchema = z.object({ pid: z.number(), username: z.string(), hostname: z.string(), timestamp: z.string() });

/** Whether the process of a lock may still run; on another machine that is not known, so yes. */
export function lockIsAlive(
  lock: z.infer<typeof lockSchema>,
  thisHost: string,
  runs: (pid: number) => boolean,
): boolean {
  return lock.hostname !== thisHost || runs(lock.pid);
}

/**
 * Removes locks without a running process. Only a state in files has lock files.
 *
 * @throws {UserError} when another update of the stack is running
 */
export function removeStaleLock(root: string, stack: string, say: (line: string) => void): void {
  const state = localState(root);
  const directory = state && join(state, "locks", "organization", "orion", stack);
  if (!directory || !existsSync(directory)) return;
  const locks = readdirSync(directory)
    // Each lock has a file of attributes.
    .filter((file) => file.endsWith(".json"))
    .map((file) => lockSchema.parse(JSON.parse(readFileSync(join(directory, file), "utf8"))));
  const alive = locks.find((lock) => lockIsAlive(lock, hostname(), processRuns));
  if (alive) {
    throw new UserError(
      `Another update of '${stack}' is running (process ${alive.pid} of ${alive.username} on ${alive.hostname}, since ${alive.timestamp}). ` +
        `Wait for its end, or, if you are sure that it does not run: npx pulumi cancel --stack ${stack} --cwd ${relative(process.cwd(), root) || "."}`,
    );
  }
  if (locks.length === 0) return;
  runSync("pulumi", ["cancel", "--yes", "--stack", stack, "--cwd", root]);
  say(`A lock of an update that no longer runs was removed.`);
}

function processRuns(pid: number): boolean {
  // With /proc, a zombie and another program with the same id are recognised.
  if (existsSync("/proc/self/stat")) return isRunningEngine(readOr(`/proc/${pid}/stat`, ""));
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
