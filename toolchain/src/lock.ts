/** One run at a time: a lock file that its holder keeps fresh, so that one whose holder died is told from one at work. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface LockTimes {
  /** Milliseconds between two looks of one who waits. */
  readonly poll: number;
  /** Milliseconds between two signs of life of the holder. */
  readonly refresh: number;
  /** Milliseconds without one, after which the holder counts as gone. */
  readonly patience: number;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
}

const defaultTimes: LockTimes = { poll: 500, refresh: 5_000, patience: 60_000, now: Date.now };

/**
 * Does the work while no other process does its own under the same lock. A lock saves double work only; results are
 * put in place atomically, so even two holders could do no harm.
 *
 * @param onWait called once, with the holder's process id, when another one holds the lock
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
      // Somebody took the lock away; the work goes on, see above.
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
  /** When it last gave a sign of life, in milliseconds. */
  readonly seen: number;
}

function take(path: string, text: string): boolean {
  // A link appears with its content, so that no other ever reads half a lock.
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

function isGone({ pid, host, seen }: Holder, { patience, now }: LockTimes): boolean {
  return now() - seen > patience || (host === hostname() && !isAlive(pid));
}

/** Removes the lock of a holder that is gone, unless another process was quicker and holds it by now. */
function discard(path: string, gone: Holder): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, "utf8") !== gone.text) linkSync(aside, path);
  } catch {
    // Somebody else removed it, or has a new one: the next look tells.
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
