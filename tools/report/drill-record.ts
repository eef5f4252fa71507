/** What is measured in drills, as data: their page is drawn from it. */
import { z } from "zod";
import { loadReportSchema } from "../../rehearsal/load/process.ts";

const episodeSchema = z.object({
  name: z.string(),
  title: z.string(),
  about: z.string(),
  /** Why it has not passed; null: it has. */
  problem: z.string().nullable(),
  /** Why acknowledged orders may be missing; null: none may. */
  mayLose: z.string().nullable(),
  /** What took how long, in milliseconds since 1970. */
  spans: z.array(z.object({ label: z.string(), from: z.number(), to: z.number() })),
  facts: z.array(z.object({ what: z.string(), value: z.string() })),
  /** What programs printed. */
  output: z.string(),
  load: loadReportSchema,
});
export type Episode = z.infer<typeof episodeSchema>;

export const drillRecordSchema = z.object({
  version: z.literal(1),
  stack: z.string(),
  cloud: z.string(),
  phase: z.string(),
  began: z.number(),
  /** An SVG of the plan. */
  picture: z.string(),
  episodes: z.array(episodeSchema),
  /** Drills that this stack cannot do. */
  left: z.array(z.object({ title: z.string(), why: z.string() })),
  rates: z.record(z.string(), z.number()),
  versions: z.array(z.object({ what: z.string(), version: z.string() })),
  notes: z.array(z.string()),
  commands: z.array(z.string()),
});
export type DrillRecord = z.infer<typeof drillRecordSchema>;
