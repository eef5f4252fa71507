/** Formats Markdown tables. Pure. */

/** A table; `|` in a cell is escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cellOf = (value: string | number) => (value === "" ? "| " : `| ${String(value).replaceAll("|", "\\|")} `);
  const row = (cells: readonly (string | number)[]) => `${cells.map(cellOf).join("")}|`;
  return [row(head), `|${"---|".repeat(head.length)}`, ...rows.map(row)].join("\n");
}
