/** Writes a preview's report as a pull request comment: what must not be merged first, details folded, within GitHub's limits. Pure. */
import { beyondAccount, hasOf } from "../../policy/account.ts";
import { block, cut, plain } from "../github-text.ts";
import { markdownTable } from "../markdown.ts";
import { stateSections } from "./state-markdown.ts";
import type { PreviewReport, StackReport } from "./report.ts";

/** An invisible line by which the comment is found again. One for each repository: the report covers all of its stacks. */
export const marker = "<!-- orion-infrastructure: preview -->";

type Changed = Extract<StackReport, { readonly kind: "new" | "changed" }>;
const isChanged = (stack: StackReport): stack is Changed => stack.kind === "new" || stack.kind === "changed";

/**
 * Whether there is anything to say. What the engine would change in a stack that the merge leaves as it is was merged before, and
 * waits for its deployment.
 */
export const isEmpty = ({ stacks, states = [] }: PreviewReport): boolean =>
  stacks.every(({ kind }) => kind === "unchanged") && states.every(({ kind }) => kind !== "refused");

/** The comment of a preview that changes nothing any more, for a pull request that has an older one. */
export const unchangedComment = (commit: string): string =>
  `${marker}\n### Infrastructure preview\n\nNothing changes any more, as of ${plain(commit.slice(0, 10))}.\n`;

/**
 * The comment, cut at the borders of its sections.
 *
 * @param commit the commit that was previewed
 * @param whole where the whole report is when it was cut
 */
export function commentOf(report: PreviewReport, commit: string, whole = "the job summary"): string {
  return cut(sectionsOf(report, commit), plain(whole));
}

/** The whole report, for the job's summary and the artifact. */
export const summaryOf = (report: PreviewReport, commit: string): string => sectionsOf(report, commit).join("\n");

/** The sections, the most important first: the first one is never left out. */
function sectionsOf(report: PreviewReport, commit: string): string[] {
  const { stacks, base, borrowed, states = [] } = report;
  const changed = stacks.filter(isChanged);
  const note = borrowed
    ? "\nThe base's program could not compose its own stacks: this version's program read its stack files.\n"
    : "";
  return [
    `${marker}\n### Infrastructure preview\n\n${headline(report)}\n\n${table(stacks)}\n\nCompared with ${plain(base.slice(0, 10))} at ${plain(commit.slice(0, 10))}, without credentials: by what the program makes of each stack file.${states.length > 0 ? " The engine was asked about the real stacks as well." : ""}\n${note}`,
    ...stacks.flatMap((stack) => (stack.kind === "invalid" ? [invalid(stack.stack, stack.error)] : [])),
    ...stateSections(states.filter(({ kind }) => kind === "refused")),
    ...changed.flatMap((stack) => findings(stack)),
    ...changed.flatMap((stack) => limitsOf(stack)),
    ...changed.map((stack) => byServer(stack)),
    ...stateSections(states.filter(({ kind }) => kind !== "refused")),
    ...changed.map((stack) => details(stack)),
  ];
}

function headline({ stacks, states = [] }: PreviewReport): string {
  const bad = [
    ...stacks.filter((one) => one.kind === "invalid" || (isChanged(one) && !one.move.safe)),
    ...states.filter(({ kind }) => kind === "refused"),
  ];
  const names = [...new Set(bad.map(({ stack }) => `**${plain(stack)}**`))].join(", ");
  if (bad.length > 0) return `**Must not be merged:** ${names} would lose data, end the service or be refused.`;
  const dangers = stacks.filter(isChanged).flatMap(({ move }) => move.findings);
  return dangers.length > 0
    ? `Safe for data, with ${dangers.length} ${dangers.length === 1 ? "effect" : "effects"} that people may notice.`
    : "Safe: everything that holds data keeps its resource, name and address.";
}

function table(stacks: readonly StackReport[]): string {
  const rows = stacks.map((one) => {
    const cells = isChanged(one)
      ? [
          one.kind === "new" ? `new, phase ${one.move.to.phase ?? ""}` : phases(one),
          String(one.move.changes.length),
          euro(one),
          one.move.safe ? (one.move.findings.length > 0 ? "safe, see below" : "safe") : "**refused**",
        ]
      : [
          { unchanged: "unchanged", removed: "its file is gone", invalid: "not valid" }[one.kind],
          "",
          "",
          one.kind === "invalid" ? "**refused**" : removedNote(one.kind),
        ];
    return [plain(one.stack), ...cells];
  });
  return markdownTable(["stack", "phase", "resources that change", "€ a month", "verdict"], rows);
}

const removedNote = (kind: string): string =>
  kind === "removed" ? "what it runs goes on until <code>pulumi destroy</code>" : "";

const phases = ({ move: { from, to } }: Changed): string =>
  from.phase === to.phase ? (to.phase ?? "") : `${from.phase ?? "?"} → ${to.phase ?? "?"}`;

function euro({ move: { cost } }: Changed): string {
  // Without all prices a difference would be a made-up saving, or made-up costs.
  if (cost.unpriced !== undefined && cost.unpriced.length > 0)
    return `at least ${cost.before.toFixed(2)} → at least ${cost.after.toFixed(2)}`;
  if (cost.before === cost.after) return cost.after.toFixed(2);
  const difference = cost.after - cost.before;
  return `${cost.before.toFixed(2)} → ${cost.after.toFixed(2)} (${difference > 0 ? "+" : ""}${difference.toFixed(2)})`;
}

const invalid = (stack: string, error: string): string => `#### ${plain(stack)}: not valid\n\n${block(error)}\n`;

const severities: Readonly<Record<string, string>> = {
  refused: "**refused**",
  loss: "**loses data**",
  danger: "noticed",
};

function findings({ stack, move }: Changed): string[] {
  if (move.findings.length === 0) return [];
  const lines = move.findings.map(({ severity, name, happens, instead }) => {
    const remedy = instead === null ? "" : `<br>instead: ${plain(instead)}`;
    return `- ${severities[severity] ?? plain(severity)}: <code>${plain(name)}</code> ${plain(happens)}${remedy}`;
  });
  return [`#### ${plain(stack)}: what to know before\n\n${lines.join("\n")}\n`];
}

function limitsOf({ stack, move }: Changed): string[] {
  const more = beyondAccount(move.account);
  if (more.length === 0) return [];
  const lines = more.map(
    (need) => `- ${need.count} ${plain(need.what)}. ${plain(hasOf(need))}. Raise the limit first: it can take days.`,
  );
  return [`#### ${plain(stack)}: limits of the account\n\n${lines.join("\n")}\n`];
}

function byServer({ stack, groups }: Changed): string {
  const rows = groups.map(({ name, counts }) => [plain(name), plain(counts)]);
  return `#### ${plain(stack)}: changes\n\n${markdownTable(["server or part", ""], rows)}\n`;
}

const details = ({ stack, details: text }: Changed): string =>
  `<details><summary>${plain(stack)}: every change</summary>\n\n${block(text)}\n\n</details>\n`;
