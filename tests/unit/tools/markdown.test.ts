/** The Markdown table that all commands and benches write. */
import { markdownTable } from "../../../tools/markdown.ts";

test("a table with numbers, empty cells and a sign that would end a cell", () => {
  expect(
    markdownTable(
      ["what", "", "n"],
      [
        ["a|b", "", 2],
        ["", "", ""],
      ],
    ),
  ).toBe(["| what | | n |", "|---|---|---|", "| a\\|b | | 2 |", "| | | |"].join("\n"));
});
