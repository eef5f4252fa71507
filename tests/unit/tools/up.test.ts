/** `make preview` and `make up`, with an engine that only notes what it is told to do. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { temporaryFolder } from "../../../testing/folder.ts";
import { preview } from "../../../tools/up.ts";
import { compileCache } from "../support/compile-cache.ts";
import { playedProgram } from "../support/played-program.ts";

const pulumi = playedProgram("pulumi");
const root = temporaryFolder("up");
for (const stack of ["dev", "prod"])
  writeFileSync(join(root, `Pulumi.${stack}.yaml`), "config:\n  orion:phase: development\n");

test("a preview makes the stack first where the state does not know it", async () => {
  pulumi.answer("stack select");
  pulumi.answer("preview");
  const shows = `preview --stack dev --cwd ${root} --diff`;
  expect(await preview(root, "dev")).toBe(0);
  expect(pulumi.calls()).toEqual([`stack select --create --stack dev --cwd ${root}`, shows]);
  const states = join(root, ".orion", "state", ".pulumi", "stacks", "orion");
  mkdirSync(states, { recursive: true });
  writeFileSync(join(states, "dev.json"), "{}");
  expect(await preview(root, "dev")).toBe(0);
  expect(pulumi.calls().slice(2)).toEqual([shows]);
});

test("what goes wrong is written without colours into a log", () => {
  const args = [resolve("tools/cli.ts"), "up", "--stack", "none"];
  const env = { ...process.env, ...compileCache };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toBe("error: There is no stack 'none' here: Pulumi.none.yaml was not found. Stacks: dev, prod\n");
});
