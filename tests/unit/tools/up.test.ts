/** `make preview` and `make up`, with an engine that only notes what it is told to do. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { temporaryFolder } from "../../../testing/folder.ts";
import { compileCache } from "../support/compile-cache.ts";

const cli = resolve("tools/cli.ts");
let root: string;
let calls: string;

beforeEach(() => {
  root = temporaryFolder("up");
  calls = join(root, "calls");
  copyFileSync("Pulumi.prod.yaml", join(root, "Pulumi.prod.yaml"));
  writeFileSync(join(root, "Pulumi.dev.yaml"), "config:\n  orion:phase: development\n");
  writeFileSync(calls, "");
  const pulumi = join(root, "bin", "pulumi");
  mkdirSync(dirname(pulumi));
  writeFileSync(pulumi, `#!/bin/sh\necho "$*" >> ${calls}\ncase "$*" in "stack export"*) exit 1;; esac\n`);
  chmodSync(pulumi, 0o755);
});

/** Notes the stack in the state. */
function make(stack: string): void {
  const folder = join(root, ".orion", "state", ".pulumi", "stacks", "orion");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${stack}.json`), "{}");
}

function run(...args: string[]): { code: number | null; output: string; engine: string[] } {
  const env = { ...compileCache, PATH: [join(root, "bin"), process.env["PATH"]].join(delimiter), HOME: root };
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: root, env, encoding: "utf8" });
  const engine = readFileSync(calls, "utf8").replaceAll(root, "ROOT").split("\n").slice(0, -1);
  return { code: status, output: stdout + stderr, engine };
}

test("a preview makes the stack first where the state does not know it", () => {
  expect(run("preview", "--stack", "dev").engine).toEqual([
    "stack select --create --stack dev --cwd ROOT",
    "preview --stack dev --cwd ROOT --diff",
  ]);
  make("prod");
  writeFileSync(calls, "");
  expect(run("preview", "--stack", "prod").engine).toEqual(["preview --stack prod --cwd ROOT --diff"]);
});

test("what goes wrong is written without colours into a log", () => {
  const { code, output } = run("up", "--stack", "none");
  expect(code).toBe(2);
  expect(output).toBe("error: There is no stack 'none' here: Pulumi.none.yaml was not found. Stacks: dev, prod\n");
});
