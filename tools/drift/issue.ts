/** Keeps the one issue about a stack's drift: opens it, edits it, closes it when the drift is gone, says nothing when all is well. */
import { block, cut, plain } from "../github-text.ts";
import type { GitHub } from "../github.ts";
import type { EngineChange } from "../engine-preview.ts";
import { byGroup, type Drift, plannedWords, wordsOf } from "./findings.ts";

/** The invisible line by which the issue of a stack is found again. */
export const markerOf = (stack: string): string => `<!-- orion-infrastructure: drift ${stack} -->`;

export const titleOf = (stack: string): string => `Infrastructure drift: ${stack}`;

/** Where the check ran. */
export interface Checked {
  readonly stack: string;
  /** Commit of the program and the stack's file. */
  readonly commit: string;
}

/** The issue's text, within GitHub's limits. Without the time, so that the same drift has the same text. */
export function bodyOf({ drifted, followed, waiting, noise }: Drift, { stack }: Checked): string {
  const head =
    `${markerOf(stack)}\nStack **${plain(stack)}** is not as its last update left it: ${differences(drifted.length)}.\n\n` +
    "Either bring back what the program says: <code>make up STACK=" +
    `${plain(stack)} REFRESH=1</code>; or, if the change was meant, write it into the stack's file or the program. This issue is closed by itself when the drift is gone.\n`;
  return cut(
    [
      head,
      ...grouped(drifted, wordsOf),
      ...section("What the next update would change because of it", followed, plannedWords),
      ...section("Not deployed yet, and no drift", waiting, plannedWords),
      ...(noise.length === 0
        ? []
        : [
            `#### Known, and left out\n\n${noise.map(({ change, why }) => `- ${plain(change.name)}: ${plain(why)}`).join("\n")}\n`,
          ]),
    ],
    "the job summary",
  );
}

const differences = (count: number): string => (count === 1 ? "1 difference" : `${count} differences`);

const grouped = (changes: readonly EngineChange[], words: (change: EngineChange) => string): string[] =>
  byGroup(changes).map(([group, of]) => `#### ${plain(group)}\n\n${lines(of, words)}\n`);

const section = (title: string, changes: readonly EngineChange[], words: (change: EngineChange) => string): string[] =>
  changes.length === 0
    ? []
    : [
        `<details><summary>${title} (${changes.length})</summary>\n\n${block(changes.map(words).join("\n"))}\n\n</details>\n`,
      ];

const lines = (changes: readonly EngineChange[], words: (change: EngineChange) => string): string =>
  changes.map((change) => `- ${plain(words(change))}`).join("\n");

/** The text of an issue whose drift is gone. */
const closedBody = ({ stack, commit }: Checked): string =>
  `${markerOf(stack)}\nThe drift of stack **${plain(stack)}** is gone, as of ${plain(commit.slice(0, 10))}.\n`;

/**
 * Brings the stack's issue up to date.
 *
 * @returns what was done
 */
export async function keepIssue(github: GitHub, drift: Drift, checked: Checked): Promise<string> {
  const { stack } = checked;
  if (drift.drifted.length === 0) {
    const open = await github.findIssue(markerOf(stack), "open");
    if (!open) return `No drift, and no open issue about '${stack}'.`;
    await github.editIssue(open.number, { body: closedBody(checked), state: "closed" });
    return `The drift of '${stack}' is gone: issue ${open.number} is closed.`;
  }
  const body = bodyOf(drift, checked);
  const title = titleOf(stack);
  // A closed issue is opened again: there is one for each stack, with its history.
  const older = (await github.findIssue(markerOf(stack), "open")) ?? (await github.findIssue(markerOf(stack), "all"));
  if (!older) {
    await github.createIssue(title, body);
    return `An issue about the drift of '${stack}' is opened.`;
  }
  if (older.isOpen && older.body === body) return `Issue ${older.number} says so already.`;
  await github.editIssue(older.number, { body, state: "open" });
  return `Issue ${older.number} is ${older.isOpen ? "edited" : "opened again"}.`;
}
