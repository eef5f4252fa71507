/** The lock of a stack's state: that of a process which is no more is in nobody's way. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, relative } from "node:path";
import { z } from "zod";
import { runSync } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import { localState } from "../backend.ts";
import { isRunningEngine } from "./left-plugins.ts";

const lockSchema = z.object({ pid: z.number(), username: z.string(), hostname: z.string(), timestamp: z.string() });

/** Whether the process of a lock can still be at work: unknown on another machine, so yes. */
export function lockIsAlive(
  lock: z.infer<typeof lockSchema>,
  thisHost: string,
  runs: (pid: number) => boolean,
): boolean {
  return lock.hostname !== thisHost || runs(lock.pid);
}

/**
 * Removes a lock that nobody holds. Locks lie as files only where the state does.
 *
 * @throws {UserError} when another update of the stack is at work
 */
export function removeStaleLock(root: string, stack: string, say: (line: string) => void): void {
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
  runSync("pulumi", ["cancel", "--yes", "--stack", stack, "--cwd", root]);
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

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
