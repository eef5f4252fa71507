import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { withLock } from "../../../toolchain/src/lock.ts";

const times = { poll: 5, refresh: 10, patience: 200 };
let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "orion-lock-")), "lock");
});
afterEach(() => {
  rmSync(join(path, ".."), { recursive: true, force: true });
});
const nobody = () => undefined;

test("two who want the same work one after the other", async () => {
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    log.push(`${name} ends`);
  };
  const waited: number[] = [];
  await Promise.all([
    withLock(path, nobody, work("a"), times),
    withLock(path, (pid) => waited.push(pid), work("b"), times),
  ]);
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  expect(waited).toEqual([process.pid]);
  expect(existsSync(path)).toBe(false);
});

test("a lock is given back when the work fails", async () => {
  await expect(withLock(path, nobody, () => Promise.reject(new Error("no")), times)).rejects.toThrow("no");
  expect(existsSync(path)).toBe(false);
});

test.each([
  ["whose process is gone", `999999999 ${hostname()}\n`, 0],
  ["of another machine that has been silent for long", "1 elsewhere\n", 1],
])("the lock of a holder %s counts for nothing", async (_, text, secondsAgo) => {
  writeFileSync(path, text);
  const then = Date.now() / 1000 - secondsAgo;
  utimesSync(path, then, then);
  await expect(withLock(path, nobody, () => Promise.resolve("done"), times)).resolves.toBe("done");
});
