/** `make deploy`: `make up` without questions, then doctor, and a report of what was done. For a CI job behind an approval. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runSync } from "../../common/process.ts";
import { stateOf } from "../../guard/backend.ts";
import { diagnose, isProblem } from "../doctor/doctor.ts";
import { Engines } from "../engines.ts";
import type { StackFile } from "../stack-file.ts";
import { say } from "../terminal.ts";
import { up } from "../up.ts";
import { documentOf, markdownOf } from "./report.ts";

/**
 * Deploys what is checked out. The program itself refuses what would lose data.
 *
 * @param out folder for deploy.md and deploy.json. @default - the report is printed
 * @returns 1 when the update failed or doctor found a problem
 */
export async function deploy(root: string, file: StackFile, out: string | undefined): Promise<number> {
  const { stack } = file;
  const started = Date.now();
  const before = stateOf(root, stack) ?? { resources: [] };
  const code = await up(root, file, { yes: true });
  const seconds = (Date.now() - started) / 1000;
  const after = stateOf(root, stack) ?? { resources: [] };
  const findings = code === 0 ? await diagnose(file, new Engines(root, file)) : undefined;
  const commit = runSync("git", ["rev-parse", "HEAD"], { cwd: root }).stdout.trim();
  const deployment = { stack, commit, code, seconds, before, after, ...(findings && { findings }) };
  const report = markdownOf(deployment);
  if (out === undefined) say(`\n${report}`);
  else {
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, "deploy.md"), report);
    writeFileSync(join(out, "deploy.json"), `${JSON.stringify(documentOf(deployment), undefined, 2)}\n`);
    say(`\nThe report is in ${out}.`);
  }
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (summary !== undefined) appendFileSync(summary, report);
  return code !== 0 || findings?.some(isProblem) === true ? 1 : 0;
}
