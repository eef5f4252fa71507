/** Markdown that commands write. Pure. */

/** A table; `|` in a cell is escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`.replaceAll("|  |", "| |");
  return [row(head), `|${"---|".repeat(head.length)}`, ...rows.map(row)].join("\n");
}
