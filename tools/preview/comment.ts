/**
 * `node tools/preview/comment.ts REPORT.json`: posts a preview's report. Runs in a job of its own that has a token and nothing of the
 * pull request but this file. The environment says where: GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN, PULL_REQUEST, COMMIT.
 */
import { readFileSync } from "node:fs";
import { UserError } from "../../common/user-error.ts";
import { redError, say } from "../terminal.ts";
import { gitHubOfJob, variable } from "../github.ts";
import { post, readReport } from "./post.ts";

async function main([file]: readonly string[]): Promise<void> {
  if (file === undefined) throw new UserError("Usage: node tools/preview/comment.ts REPORT.json");
  const pull = Number(variable(process.env, "PULL_REQUEST"));
  if (!Number.isSafeInteger(pull) || pull < 1)
    throw new UserError(`PULL_REQUEST: got '${variable(process.env, "PULL_REQUEST")}', allowed: a number`);
  const github = gitHubOfJob(process.env);
  const whole = process.env["RUN_URL"];
  const posting = { pull, commit: variable(process.env, "COMMIT"), ...(whole !== undefined && { whole }) };
  say(await post(github, readReport(readFileSync(file, "utf8")), posting));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${redError("error:")} ${error instanceof UserError ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
