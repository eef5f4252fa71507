/** The reports in docs/reports were made by the commands, and are what this version's pages look like. */
import { globSync, readFileSync } from "node:fs";
import { pageFrom } from "../../../../tools/report/draw-again.ts";

const records = globSync("docs/reports/*.json");

test("there is a report of the move from mvp to scale", () => {
  expect(records).toContain("docs/reports/mvp-to-scale.json");
});

test.each(records)("%s and its page agree; otherwise: make report RECORD=...", (record) => {
  const page = readFileSync(record.replace(/json$/, "html"), "utf8");
  expect(page === pageFrom(readFileSync(record, "utf8"), record)).toBe(true);
});
