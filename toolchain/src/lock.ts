/** A lock between processes: a file whose holder refreshes its time, so that a lock whose holder died can be taken over. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface LockTimes {
  /** Milliseconds between two attempts of a waiting process. */
  readonly poll: number;
  /** Milliseconds between two refreshes by the holder. */
  readonly refresh: number;
  /** Milliseconds without a refresh after which the holder counts as dead. */
  readonly staleAfter: number;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
}

const defaultTimes: LockTimes = { poll: 500, refresh: 5_000, staleAfter: 60_000, now: Date.now };

/**
 * Runs the work while holding the lock. The lock only avoids doing the same work twice; results are installed atomically, so
 * two holders at once would do no harm.
 *
 * @param onWait called once, with the holder's process id, when another process holds the lock
 */
export async function withLock<T>(
  path: string,
  onWait: (pid: number) => void,
  work: () => Promise<T>,
  times: LockTimes = defaultTimes,
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${process.pid} ${hostname()}\n`;
  for (let waited = false; !take(path, mine);) {
    const holder = holderOf(path);
    if (holder && isGone(holder, times)) {
      discard(path, holder);
      continue;
    }
    if (holder && !waited) {
      onWait(holder.pid);
      waited = true;
    }
    await sleep(times.poll);
  }
  const refresh = setInterval(() => {
    const now = new Date(times.now());
    try {
      utimesSync(path, now, now);
    } catch {
      // Another process took the lock over. The work continues; see above.
    }
  }, times.refresh);
  try {
    return await work();
  } finally {
    clearInterval(refresh);
    if (holderOf(path)?.text === mine) rmSync(path, { force: true });
  }
}

interface Holder {
  readonly text: string;
  readonly pid: number;
  readonly host: string;
  /** Time of its last refresh, in milliseconds. */
  readonly seen: number;
}

function take(path: string, text: string): boolean {
  // A hard link appears with its full content, so that no process reads a partial lock file.
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function holderOf(path: string): Holder | undefined {
  try {
    const text = readFileSync(path, "utf8");
    const [pid = "", host = ""] = text.trim().split(" ");
    return { text, pid: Number(pid), host, seen: statSync(path).mtimeMs };
  } catch {
    return undefined;
  }
}

function isGone({ pid, host, seen }: Holder, { staleAfter, now }: LockTimes): boolean {
  return now() - seen > staleAfter || (host === hostname() && !isAlive(pid));
}

/** Removes the lock of a dead holder, unless another process has taken it meanwhile. */
function discard(path: string, gone: Holder): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, "utf8") !== gone.text) linkSync(aside, path);
  } catch {
    // Another process removed it or holds a new lock: the next attempt will tell.
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** The system's name of an error: `EEXIST`. */
const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
