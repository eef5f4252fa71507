/** `make report`: draws the page of a rehearsal or of drills again, from what was measured. */
import { resolve } from "node:path";
import { UserError } from "../../common/user-error.ts";
import { say } from "../terminal.ts";
import { readText, writeContents } from "../text-file.ts";
import { drillPageOf } from "./drill-page.ts";
import { drillRecordSchema } from "./drill-record.ts";
import { pageOf } from "./page.ts";
import { recordSchema } from "./record.ts";

/**
 * @param project folder that both paths are relative to
 * @param record the JSON file of a report
 * @param out @default the file beside it with the ending .html
 * @returns the exit code
 */
export function drawAgain(project: string, record: string | undefined, out: string | undefined): number {
  if (record === undefined)
    throw new UserError("Name what was measured, as in: make report RECORD=docs/reports/mvp-to-scale.json");
  const path = resolve(project, record);
  const page = pageFrom(readText(path, "The record"), record);
  const file = out === undefined ? path.replace(/(\.json)?$/, ".html") : resolve(project, out);
  writeContents(file, page, "The page");
  say(`The page is drawn: ${file}`);
  return 0;
}

/** The page of a record. @param source what the text was read from, for messages. @throws {UserError} when it is no record */
export function pageFrom(text: string, source: string): string {
  const read = parsed(text);
  const move = recordSchema.safeParse(read);
  if (move.success) return pageOf(move.data);
  const drills = drillRecordSchema.safeParse(read);
  if (drills.success) return drillPageOf(drills.data);
  throw new UserError(`${source} is not the record of a rehearsal or of drills of this version.`);
}

/** Undefined for what is not JSON, and so no record. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
