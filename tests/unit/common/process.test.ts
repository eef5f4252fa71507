/** The process runner, with programs that really run. */
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { must, run, runInteractive, runSync, StartError, tryRun } from "../../../common/process.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "orion-run-")));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const shell = (text: string): [string, string[]] => ["sh", ["-c", text]];

describe.each([
  ["run", run],
  ["runSync", async (...args: Parameters<typeof runSync>) => Promise.resolve(runSync(...args))],
] as const)("%s", (_, runner) => {
  test("returns a program's output and exit code; variables are added to those of this process", async () => {
    const options = { cwd: root, environment: { GREETING: "hello", HOME: undefined } };
    const outcome = await runner(...shell('pwd; echo "$GREETING ${HOME-none} ${PATH:+path}" >&2; exit 3'), options);
    expect(outcome).toMatchObject({ code: 3, stdout: `${root}\n`, stderr: "hello none path\n" });
    expect(outcome.output.split("\n").sort()).toEqual(["", root, "hello none path"].sort());
  });

  test("hands the input over", async () => {
    expect(await runner("cat", [], { input: "some text" })).toMatchObject({ code: 0, stdout: "some text" });
  });

  test("a program that ends before it has read its input says why by its exit code", async () => {
    expect((await runner(...shell("exit 3"), { input: "x".repeat(1 << 20) })).code).toBe(3);
  });

  test("stops a program after its time, and says so by a code that is undefined", async () => {
    // Longer than a test may take.
    expect((await runner("sleep", ["300"], { timeoutSeconds: 0.1 })).code).toBeUndefined();
  });

  test("reports a program that a signal ended as failed", async () => {
    expect((await runner(...shell("kill -TERM $$"))).code).toBe(1);
  });
});

test("a program that cannot be started is an error that names it", async () => {
  writeFileSync(join(root, "file"), "text", { mode: 0o644 });
  await expect(run("orion-no-such-program", [])).rejects.toThrow("The program 'orion-no-such-program' was not found");
  await expect(runInteractive("orion-no-such-program", [])).rejects.toThrow(StartError);
  expect(() => runSync("orion-no-such-program", [])).toThrow(StartError);
  await expect(run(join(root, "file"), [])).rejects.toThrow("could not be started");
});

test("tryRun reports a program that cannot be started as a shell does", async () => {
  writeFileSync(join(root, "file"), "text", { mode: 0o644 });
  const missing = await tryRun("orion-no-such-program", []);
  expect(missing).toMatchObject({ code: 127, stderr: expect.stringContaining("was not found") as string });
  expect((await tryRun(join(root, "file"), [])).code).toBe(126);
});

test("a log gets everything that a program prints, after what the log has already", async () => {
  const log = join(root, "log");
  writeFileSync(log, "before\n");
  expect(await run(...shell("echo out; echo err >&2"), { log })).toMatchObject({ code: 0, stdout: "out\n" });
  expect(readFileSync(log, "utf8").split("\n").sort()).toEqual(["", "before", "err", "out"]);
});

describe("when the time is up after a program has printed, however long that took", () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  /** Resolves when the runner has what a program printed. */
  async function printed(log: string): Promise<void> {
    while (!existsSync(log) || readFileSync(log, "utf8") === "") await turn();
  }

  test("one that prints nothing within its time is stopped, one that prints is not", async () => {
    const silent = run("sleep", ["300"], { silenceSeconds: 60 });
    mock.timers.tick(60_000);
    expect((await silent).code).toBeUndefined();
    const log = join(root, "log");
    const input = new Readable({ read: () => undefined });
    const outcome = run(...shell("echo now; cat"), { silenceSeconds: 60, log, input });
    await printed(log);
    mock.timers.tick(60_000);
    input.push("later\n");
    input.push(null);
    expect(await outcome).toMatchObject({ code: 0, stdout: "now\nlater\n" });
  });

  test("children of a stopped program that hold its output open are not waited for", async () => {
    const log = join(root, "log");
    // Longer than a test may take.
    const outcome = run(...shell("sleep 300 & echo $!; wait"), { timeoutSeconds: 60, log });
    await printed(log);
    mock.timers.tick(60_000);
    const { code, stdout } = await outcome;
    process.kill(Number(stdout));
    expect(code).toBeUndefined();
  });
});

test("input may be a stream, and a program need not read it", async () => {
  expect((await run("cat", [], { input: Readable.from(["one", "two"]) })).stdout).toBe("onetwo");
  expect((await run("true", [], { input: "x".repeat(1 << 20) })).code).toBe(0);
});

test("must returns what a program printed, and throws when the program fails", async () => {
  expect(await must("echo", ["out"])).toBe("out\n");
  expect(await must(...shell("echo out; exit 2"), { allow: [2] })).toBe("out\n");
  await expect(must(...shell("echo no >&2; exit 2"))).rejects.toThrow(/^sh -c echo no >&2; exit 2: no$/);
  await expect(must("sleep", ["30"], { timeoutSeconds: 0.1 })).rejects.toThrow("sleep 30: it took too long");
});
