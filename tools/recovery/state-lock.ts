/** Removes the stale lock of a stack's state, which an engine that was killed has left, where its owner is known to be gone. */
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { relative } from "node:path";
import { z } from "zod";
import { runSync } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import { stateUrlOf } from "../../guard/backend.ts";
import { foldersOf, type StateStore, storeAt } from "../state-store.ts";
import { type Holder, holderOf } from "./ci-owner.ts";
import { isRunningEngine } from "./left-plugins.ts";

const lockSchema = z.object({ pid: z.number(), username: z.string(), hostname: z.string(), timestamp: z.string() });
type Lock = z.infer<typeof lockSchema>;

/** Whether the process of a lock may still run; on another machine that is not known, so yes. */
export function lockIsAlive(lock: Lock, thisHost: string, runs: (pid: number) => boolean): boolean {
  return lock.hostname !== thisHost || runs(lock.pid);
}

/**
 * Removes locks whose owner is gone: a process of this machine that does not run, or a run of GitHub Actions that is over.
 *
 * @throws {UserError} when another update of the stack is running, or may be: with its owner, and what to do
 */
export async function removeStaleLock(root: string, stack: string, say: (line: string) => void): Promise<void> {
  const store = lockStore(root, stack);
  if (store === undefined) return;
  const locks = await locksOf(store, stack);
  if (locks.length === 0) return;
  const gone: string[] = [];
  for (const lock of locks) {
    if (!lockIsAlive(lock, hostname(), processRuns)) {
      gone.push("an update that no longer runs");
      continue;
    }
    const holder = await holderOf(store, stack, lock);
    if (holder?.isGone !== true) throw new UserError(explain(lock, holder, root, stack));
    gone.push(`the run ${holder.url}, which is over`);
  }
  runSync("pulumi", ["cancel", "--yes", "--stack", stack, "--cwd", root]);
  for (const owner of gone) say(`A lock of ${owner} was removed.`);
}

/** @returns undefined when locks cannot be looked up; then the engine itself refuses a locked state */
export function lockStore(root: string, stack: string): StateStore | undefined {
  const url = stateUrlOf(root, stack);
  // The engine may have credentials of another kind.
  const canRead = !url.startsWith("s3:") || (process.env["AWS_ACCESS_KEY_ID"] ?? "") !== "";
  return canRead ? storeAt(url) : undefined;
}

export async function locksOf(store: StateStore, stack: string): Promise<Lock[]> {
  const names = (await store.list(foldersOf(stack).locks)).filter((name) => name.endsWith(".json"));
  const files = await Promise.all(names.map((name) => store.read(name)));
  // One may be gone by now.
  return files.flatMap((file) => (file === undefined ? [] : [lockSchema.parse(JSON.parse(file.toString("utf8")))]));
}

function explain(
  { pid, username, hostname: host, timestamp }: Lock,
  holder: Holder | undefined,
  root: string,
  stack: string,
): string {
  const isHere = host === hostname();
  const who = `process ${pid} of ${username} on ${host}, since ${timestamp}${holder ? `, in the run ${holder.url}` : ""}`;
  const unknown = isHere ? "" : " Whether it still runs cannot be found out from here.";
  return (
    `Another update of '${stack}' is running (${who}).${unknown} ` +
    `Wait for its end, or, if you are sure that it does not run: npx pulumi cancel --stack ${stack} --cwd ${relative(process.cwd(), root) || "."}`
  );
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
