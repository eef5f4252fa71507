/** Writes a report: the page, and beside it the record that it was drawn from. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** @param file path of the page, which ends in .html */
export function writeReport(file: string, record: unknown, page: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file.replace(/(\.html)?$/, ".json"), `${JSON.stringify(record)}\n`);
  writeFileSync(file, page);
}
