/** The report of a deployment: what it changed, what that costs, and what doctor says afterwards. Pure. */
import { changesBetween } from "../../policy/changes.ts";
import { cents, costOf } from "../../policy/cost.ts";
import { graphOf, phaseIn, type State } from "../../policy/state.ts";
import type { Finding } from "../doctor/advice.ts";
import { isProblem } from "../doctor/doctor.ts";
import { block, plain } from "../github-text.ts";
import { markdownTable } from "../markdown.ts";
import { changesOf, counts, groupsOf } from "../move-report.ts";

export interface Deployment {
  readonly stack: string;
  readonly commit: string;
  /** Exit code of the update. */
  readonly code: number;
  readonly seconds: number;
  /** The state before; without resources for a new stack. */
  readonly before: State;
  readonly after: State;
  /** Undefined when doctor was not asked, because the update failed before there was anything to check. */
  readonly findings?: readonly Finding[];
}

/** What a deployment leaves for programs: `deploy.json`. A field that is added keeps the version. */
export interface DeploymentDocument {
  readonly version: 1;
  readonly stack: string;
  readonly commit: string;
  readonly succeeded: boolean;
  readonly seconds: number;
  readonly changes: readonly { readonly action: string; readonly type: string; readonly name: string }[];
  /** € per month, net. */
  readonly cost: { readonly before: number; readonly after: number };
  readonly problems: readonly string[];
}

const compared = ({ before, after }: Deployment) => {
  const graphs = { before: graphOf(before), after: graphOf(after) };
  return { graphs, move: { changes: changesBetween(graphs.before, graphs.after), findings: [] } };
};

export function documentOf(deployment: Deployment): DeploymentDocument {
  const { stack, commit, code, seconds, findings = [] } = deployment;
  const { graphs, move } = compared(deployment);
  return {
    ...{ version: 1, stack, commit, succeeded: code === 0, seconds: Math.round(seconds) },
    changes: move.changes.map(({ action, resource: { type, name } }) => ({ action, type, name })),
    cost: { before: cents(costOf(graphs.before).monthly), after: cents(costOf(graphs.after).monthly) },
    problems: findings.filter(isProblem).map(({ service }) => service),
  };
}

/** The report as Markdown. Names, counts and prices only: no value of an input is in it. */
export function markdownOf(deployment: Deployment): string {
  const { stack, commit, code, findings } = deployment;
  const { graphs, move } = compared(deployment);
  const { cost } = documentOf(deployment);
  const phase = phaseIn(graphs.after);
  const groups = groupsOf({ graphs, move }).map(({ name, changes }) => [plain(name), counts(changes)]);
  const lines = changesOf({ graphs, move });
  return [
    `### Deployment of ${plain(stack)}\n`,
    `${code === 0 ? "Done" : "**The update failed**; what it did until then"}: ${counts(move.changes)}, in ${lasted(deployment.seconds)}.\n`,
    `Commit ${plain(commit.slice(0, 10))}${phase === undefined ? "" : `, phase ${phase}`}, € a month ${cost.before.toFixed(2)} → ${cost.after.toFixed(2)}.\n`,
    ...(code === 0
      ? []
      : ["The log of the step has the engine's reasons. Run the job again: an update goes on where it stopped.\n"]),
    ...(findings === undefined ? [] : [health(findings)]),
    ...(groups.length === 0 ? [] : [`${markdownTable(["server or part", ""], groups)}\n`]),
    ...(lines.length === 0
      ? []
      : [`<details><summary>Every change</summary>\n\n${block(lines.join("\n").trim())}\n\n</details>\n`]),
  ].join("\n");
}

function health(findings: readonly Finding[]): string {
  const bad = findings.filter(isProblem);
  if (bad.length === 0) return `Doctor: all ${findings.length} checks pass.\n`;
  // The first line of a detail: the others may be a log.
  const rows = bad.map(({ service, detail }) => `- ${plain(service)}: ${plain(detail.split("\n")[0] ?? "")}`);
  return `**Doctor: ${bad.length} of ${findings.length} checks found a problem.**\n\n${rows.join("\n")}\n`;
}

const lasted = (seconds: number): string =>
  seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
