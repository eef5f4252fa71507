import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../toolchain/src/run.ts";
import { temporaryFolder } from "../../../testing/folder.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder("run");
});

test("a program's output and exit code come back, apart from one another", async () => {
  const outcome = await run("sh", ["-c", "pwd; echo $GREETING >&2; exit 3"], { cwd: root, env: { GREETING: "hello" } });
  expect(outcome).toEqual({ code: 3, stdout: `${root}\n`, stderr: "hello\n" });
});

test("a log gets everything, after what it has already", async () => {
  const log = join(root, "log");
  writeFileSync(log, "before\n");
  expect(await run("sh", ["-c", "echo out; echo err >&2"], { log })).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(readFileSync(log, "utf8")).toBe("before\nout\nerr\n");
});

test("a program that does not exist is 127, one that may not be run 126, as in a shell", async () => {
  expect((await run("orion-no-such-program", [])).code).toBe(127);
  writeFileSync(join(root, "file"), "text", { mode: 0o644 });
  expect((await run(join(root, "file"), [])).code).toBe(126);
});

test("a program that takes too long is ended, and is 124", async () => {
  // Not ended, it would end well, after the time that jest gives a test.
  expect((await run("sleep", ["300"], { timeout: 0.1 })).code).toBe(124);
});

test("a program that a signal ends has failed", async () => {
  expect((await run("sh", ["-c", "kill -TERM $$"])).code).toBe(1);
});
