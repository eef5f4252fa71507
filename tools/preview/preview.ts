/**
 * `node tools/preview/preview.ts --base COMMIT`: the report of a pull request, without engine, token, state or passphrase. Works on
 * forks. The exit code is 1 when the merge would lose data, end the service or bring a stack file that is not valid.
 */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runSync } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import { redError, say } from "../terminal.ts";
import { commentOf, summaryOf } from "./markdown.ts";
import { isRefusedMerge, previewOf } from "./report.ts";
import { readStatePreviews } from "./state-preview.ts";
import { versionsSince } from "./versions.ts";

const usage = `Usage: node tools/preview/preview.ts --base COMMIT [--out FOLDER] [--states FOLDER]

  --base COMMIT   what the stack files and the program are compared with
  --out FOLDER    writes report.json, comment.md and summary.md there; otherwise the report is printed
  --states FOLDER previews against real states (make state-preview) that become part of the report
  With GITHUB_STEP_SUMMARY set, the summary is added to that file as well.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { base: { type: "string" }, out: { type: "string" }, states: { type: "string" } },
  });
  if (values.base === undefined) throw new UserError(`--base is missing.\n\n${usage}`);
  const root = process.cwd();
  const base = commit(root, values.base);
  const head = commit(root, "HEAD");
  const states = values.states === undefined ? [] : readStatePreviews(values.states);
  const report = previewOf(await versionsSince(root, base), base, states);
  if (values.out === undefined) say(summaryOf(report, head));
  else {
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, "report.json"), `${JSON.stringify(report, undefined, 2)}\n`);
    writeFileSync(join(values.out, "comment.md"), commentOf(report, head));
    writeFileSync(join(values.out, "summary.md"), summaryOf(report, head));
    say(`The report is in ${values.out}.`);
  }
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (summary !== undefined) appendFileSync(summary, summaryOf(report, head));
  return isRefusedMerge(report) ? 1 : 0;
}

function commit(root: string, name: string): string {
  const { code, stdout } = runSync("git", ["rev-parse", "--verify", "--quiet", `${name}^{commit}`], { cwd: root });
  if (code !== 0)
    throw new UserError(`There is no commit '${name}' here; a shallow clone has only the newest (fetch-depth: 0).`);
  return stdout.trim();
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${redError("error:")} ${error instanceof UserError ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
