/** Writes the previews against real states as sections of a report. Pure. */
import { plannedWords, byGroup } from "../drift/findings.ts";
import { block, plain } from "../github-text.ts";
import { markdownTable } from "../markdown.ts";
import type { StatePreview } from "./state-preview.ts";

/** A section for each stack: its counts by server, then every change folded. */
export const stateSections = (previews: readonly StatePreview[]): string[] => previews.map(sectionOf);

function sectionOf(preview: StatePreview): string {
  const title = `#### ${plain(preview.stack)}: against its real state\n`;
  if (preview.kind === "new")
    return `${title}\nThe stack does not exist in this state yet: everything would be created.\n`;
  if (preview.kind === "refused") return `${title}\n**Refused:**\n\n${block(preview.error)}\n`;
  const { changes } = preview;
  if (changes.length === 0) return `${title}\nThe engine would change nothing.\n`;
  const rows = byGroup(changes).map(([group, of]) => [plain(group), of.length]);
  const endangered = changes.filter(
    ({ action, holds }) => holds !== undefined && (action === "replace" || action === "delete"),
  );
  return [
    title,
    ...endangered.map((one) => `- **${plain(plannedWords(one))}**: it is ${plain(one.holds ?? "")}`),
    `\n${markdownTable(["server or part", "changes by the engine"], rows)}\n`,
    `<details><summary>${plain(preview.stack)}: every change by the engine</summary>\n\n${block(changes.map(plannedWords).join("\n"))}\n\n</details>\n`,
  ].join("\n");
}
