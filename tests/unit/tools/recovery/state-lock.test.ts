/** A lock that an update left behind goes; that of an update at work stays. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { removeStaleLock } from "../../../../tools/recovery/state-lock.ts";
import { playedProgram } from "../../support/played-program.ts";

const engine = playedProgram("pulumi");
let root: string;
beforeEach(() => {
  root = temporaryFolder("state-lock");
  engine.answer("cancel", "");
});

/** Leaves a lock in the state. */
function lock(pid: number, host: string): void {
  const folder = join(root, ".orion", "state", ".pulumi", "locks", "organization", "orion", "prod");
  mkdirSync(folder, { recursive: true });
  const contents = { pid, username: "me", hostname: host, timestamp: "2026-11-29T00:00:00Z" };
  writeFileSync(join(folder, "a.json"), JSON.stringify(contents));
  writeFileSync(join(folder, "a.json.attrs"), "{}");
}

/** @returns what was said, and what the engine was told */
async function remove(): Promise<{ said: string[]; calls: string[] }> {
  const said: string[] = [];
  await removeStaleLock(root, "prod", (line) => said.push(line));
  return { said, calls: engine.calls() };
}

test("without a lock nothing is done", async () => {
  expect(await remove()).toEqual({ said: [], calls: [] });
});

test("a process that is gone holds none, nor does another program that has its id by now", async () => {
  const cancelled = `cancel --yes --stack prod --cwd ${root}`;
  const said = ["A lock of an update that no longer runs was removed."];
  lock(999_999_999, hostname());
  expect(await remove()).toEqual({ said, calls: [cancelled] });
  lock(process.pid, hostname());
  expect(await remove()).toEqual({ said, calls: [cancelled, cancelled] });
});

test("that of another machine is left to it, and the message says whose it is", async () => {
  lock(7, "elsewhere");
  await expect(remove()).rejects.toThrow(/process 7 of me on elsewhere.*npx pulumi cancel --stack prod/);
  expect(engine.calls()).toEqual([]);
});

test("that of an engine that runs is left to it", async () => {
  // A program goes by the name of its file.
  const program = join(root, "pulumi");
  copyFileSync("/bin/sleep", program);
  const running = spawn(program, ["300"]);
  await once(running, "spawn");
  try {
    lock(running.pid ?? 0, hostname());
    await expect(remove()).rejects.toThrow(`(process ${running.pid ?? 0} of me on ${hostname()}`);
    expect(engine.calls()).toEqual([]);
  } finally {
    running.kill("SIGKILL");
  }
});
