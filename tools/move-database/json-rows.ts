/** Reads rows of SQL that are JSON texts, one a line. Pure. */
import type { z } from "zod";

/** @throws {Error} for a row of another form */
export const readJsonRows = <Row>(text: string, schema: z.ZodType<Row>): Row[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => schema.parse(JSON.parse(line)));
