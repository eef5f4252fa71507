import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../../../toolchain/src/lock.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

/** The time, which passes only when a test has it pass: a busy machine must not look like a holder that is gone. */
let now: number;
/** How often it was asked for: once for each look of one who waits. */
let looks: number;
const staleAfter = 60_000;
const times = { poll: 5, refresh: 10, staleAfter, now: () => ((looks += 1), now) };
let path: string;
beforeEach(() => {
  path = join(temporaryFolder("lock"), "lock");
  [now, looks] = [Date.now(), 0];
});
const nobody = () => undefined;
const done = () => Promise.resolve("done");
/** Another holder's lock, last seen so many milliseconds ago. */
function heldBy(text: string, ago = 0): void {
  writeFileSync(path, text);
  const then = (now - ago) / 1000;
  utimesSync(path, then, then);
}

test("several who want the same work do it one after the other", async () => {
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(name);
    await sleep(15);
    log.push(name);
  };
  const waited: number[] = [];
  const names = ["a", "b", "c", "d"];
  await Promise.all(names.map((name) => withLock(path, (pid) => waited.push(pid), work(name), times)));
  expect(log.filter((_, index) => index % 2 === 0)).toEqual(log.filter((_, index) => index % 2 === 1));
  expect([...new Set(log)].sort()).toEqual(names);
  // Each of those that wait is told once, by whom.
  expect(waited).toEqual([process.pid, process.pid, process.pid]);
  expect(readdirSync(dirname(path))).toEqual([]);
});

test("a lock says who holds it, and is given back with the result", async () => {
  const result = await withLock(join(dirname(path), "new", "lock"), nobody, () =>
    Promise.resolve(readFileSync(join(dirname(path), "new", "lock"), "utf8")),
  );
  expect(result).toBe(`${process.pid} ${hostname()}\n`);
  expect(readdirSync(join(dirname(path), "new"))).toEqual([]);
});

test("a lock is given back when the work fails", async () => {
  await expect(withLock(path, nobody, () => Promise.reject(new Error("no")), times)).rejects.toThrow("no");
  expect(existsSync(path)).toBe(false);
});

test.each([
  ["whose process is gone", `999999999 ${hostname()}\n`, 0],
  ["of another machine that has been silent for long", "1 elsewhere\n", staleAfter + 1_000],
  ["whose process id went to another one, and is silent", `${process.pid} ${hostname()}\n`, staleAfter + 1_000],
  ["that says nothing one can read", "\n", staleAfter + 1_000],
])("the lock of a holder %s counts for nothing", async (_, text, ago) => {
  heldBy(text, ago);
  const onWait = jest.fn();
  await expect(withLock(path, onWait, done, times)).resolves.toBe("done");
  expect(readdirSync(dirname(path))).toEqual([]);
});

test.each([
  ["of a process at work", () => `${process.ppid} ${hostname()}\n`, process.ppid],
  ["of another machine, whose processes cannot be seen", () => "999999999 elsewhere\n", 999_999_999],
])("the lock %s is waited for until it is given back", async (_, text, pid) => {
  heldBy(text());
  const waited: number[] = [];
  let isDone = false;
  const result = withLock(path, (holder) => waited.push(holder), done, times);
  void result.then(() => (isDone = true));
  while (looks < 3) await sleep(1);
  expect(isDone).toBe(false);
  rmSync(path);
  expect(await result).toBe("done");
  expect(waited).toEqual([pid]);
});

test("a holder that works longer than the stale time keeps its lock by refreshing it", async () => {
  const order: string[] = [];
  const seen = () => statSync(path).mtimeMs;
  const long = withLock(
    path,
    nobody,
    async () => {
      for (let step = 0; step < 5; step++) {
        now += staleAfter / 2;
        while (Math.abs(seen() - now) > 1) await sleep(1);
        const before = looks;
        while (looks < before + 5) await sleep(1);
      }
      order.push("long");
    },
    times,
  );
  const other = withLock(path, nobody, () => Promise.resolve(order.push("other")), times);
  await Promise.all([long, other]);
  expect(order).toEqual(["long", "other"]);
});

test("a lock that another one has taken over is not given back by the former holder", async () => {
  await withLock(
    path,
    nobody,
    async () => {
      await writeFile(path, "1 elsewhere\n");
    },
    times,
  );
  expect(readFileSync(path, "utf8")).toBe("1 elsewhere\n");
});

test("a place where no lock can be made is an error, not an endless wait", async () => {
  writeFileSync(path, "");
  await expect(withLock(join(path, "lock"), nobody, done, times)).rejects.toThrow(/EEXIST|ENOTDIR/);
});
