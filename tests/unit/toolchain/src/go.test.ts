import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explainFailure, freeSpace, isOlder, requireGo } from "../../../../toolchain/src/go.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { type Answer, outcomeOf } from "../../support/process.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder("go");
});

/** What requireGo says of a machine, for modules that ask for these versions. */
function required(answer: Answer, needed: readonly string[] = ["1.26.4"], free: (path: string) => number = () => 100) {
  const modules = needed.map((version, index) => {
    const folder = join(root, String(index));
    mkdirSync(folder);
    writeFileSync(join(folder, "go.mod"), `module x\n\ngo ${version}\n\nrequire a v1\n`);
    return folder;
  });
  const run = () => Promise.resolve(outcomeOf(answer));
  return requireGo(modules, "/cache", run, (path: string) => Promise.resolve(free(path) * 2 ** 30));
}
const env = (version: string, toolchain = "auto") => ({
  stdout: `${version}\n${toolchain}\nlinux\namd64\n/gocache\n/gomod\n`,
});

test("a Go that is new enough is used", async () => {
  expect(await required(env("go1.26.4"))).toEqual({ version: "go1.26.4", platform: "linux-amd64" });
});

test("an older one that gets itself what a module asks for is used, too", async () => {
  expect(await required(env("go1.21.0"))).toEqual({ version: "go1.21.0", platform: "linux-amd64" });
});

test.each<[string, Answer, RegExp]>([
  [
    "none",
    { code: 127 },
    /which needs go1\.26\.4 or newer, and Go is not installed\. Install it from https:\/\/go\.dev\/dl/,
  ],
  ["one that does not run", { code: 1, stdout: "" }, /`go env` does not answer/],
  ["one that says nothing", { stdout: "\n" }, /`go env` does not answer/],
  ["one from before it could get others", env("go1.20.14"), /Go is too old: got go1\.20\.14, expected go1\.26\.4/],
  ["one that may not get others", env("go1.24.1", "local"), /Go is too old: got go1\.24\.1, expected go1\.26\.4/],
  ["one that is told which to be", env("go1.24.1", "go1.24.1"), /Go is too old: got go1\.24\.1/],
])("%s: a message that says what is needed", async (_, answer, message) => {
  await expect(required(answer)).rejects.toThrow(message);
});

test("the newest of what the modules ask for counts", async () => {
  await expect(required({ code: 127 }, ["1.26", "1.27.1", "1.9"])).rejects.toThrow("which needs go1.27.1 or newer");
});

test.each(["/cache", "/gocache", "/gomod"])("the free space of %s counts", async (full) => {
  const free = (path?: string) => (path === full ? 5.94 : 6);
  await expect(required(env("go1.26.4"), ["1.26.4"], free)).rejects.toThrow(
    `Building the engine needs 6 GiB of free space; ${full} has 5.9 GiB. Free some space, or move that folder`,
  );
});

test("the free space of a folder that is not there yet is that of the one that will hold it", async () => {
  const there = await freeSpace(root);
  const later = await freeSpace(join(root, "a", "b", "c"));
  expect(there).toBeGreaterThan(0);
  expect(Math.abs(later - there)).toBeLessThan(2 ** 30);
});

describe("a failed build", () => {
  const network = "The Go module proxy could not be reached.";
  test.each<[string, string]>([
    ["go: x@v1: Get https://p: dial tcp: lookup p: no such host", network],
    ["proxyconnect tcp: connection refused", network],
    ["read tcp: i/o timeout", network],
    ["net/http: TLS handshake timeout", network],
    ["reading https://p/@v/v1.mod: 403 Forbidden", network],
    ["407 Proxy Authentication Required", network],
    ["write /tmp/x: no space left on device", "The disk is full; a build needs 6 GiB."],
    ["compile: signal: killed", "The build ran out of memory; it needs about 3 GiB."],
    ["fork/exec: cannot allocate memory", "The build ran out of memory; it needs about 3 GiB."],
    ["verifying a@v1: checksum mismatch", "A module does not match its checksum in go.sum; it was not used."],
  ])("with %j in its log is explained", (log, cause) => {
    const [title, explanation, ...rest] = explainFailure("The engine", "/logs/engine.log", log).message.split("\n");
    expect(title).toBe("The engine could not be built.");
    expect(explanation).toContain(cause);
    expect(rest).toEqual([`  | ${log}`, "Full log: /logs/engine.log"]);
  });

  test("of an unknown cause shows the last eight lines of its log and claims nothing", () => {
    const log = `${Array.from({ length: 20 }, (_, index) => `line ${index + 1}`).join("\n")}\n`;
    expect(explainFailure("The engine", "/log", log).message.split("\n")).toEqual([
      "The engine could not be built.",
      ...Array.from({ length: 8 }, (_, index) => `  | line ${index + 13}`),
      "Full log: /log",
    ]);
  });
});

test.each([
  ["go1.25", "go1.26.4", true],
  ["go1.26.4", "go1.26.4", false],
  ["go1.26", "go1.26.0", false],
  ["go1.26.10", "go1.26.9", false],
  ["go1.9", "go1.10", true],
  ["go2.0", "go1.30", false],
  ["go1.26rc1", "go1.26.1", true],
  ["devel", "go1.1", true],
])("%s is older than %s: %s", (version, than, expected) => {
  expect(isOlder(version, than)).toBe(expected);
});
