/** What is measured in a rehearsal, as data: the page is drawn from it, and can be drawn again. */
import { z } from "zod";
import { loadReportSchema } from "../../rehearsal/load/process.ts";

const span = { from: z.number(), to: z.number() };

/** One side of a move. */
const sideSchema = z.object({
  phase: z.string(),
  /** An SVG that follows the reader's light or dark setting. */
  picture: z.string(),
  /** € per month, net. */
  monthly: z.number(),
  costs: z.array(z.object({ what: z.string(), count: z.number(), monthly: z.number() })),
});

export const recordSchema = z.object({
  version: z.literal(1),
  stack: z.string(),
  cloud: z.string(),
  /** When it began, in milliseconds since 1970, as all times of the record. */
  began: z.number(),
  before: sideSchema,
  after: sideSchema,
  /** An SVG of what the move changes. */
  change: z.string(),
  /** Source and date of the prices. */
  prices: z.string(),
  update: z.object({
    ...span,
    /** The engine's exit code; 0: everything was done. */
    code: z.number(),
    unchanged: z.number(),
    steps: z.array(
      z.object({
        action: z.enum(["create", "update", "replace", "delete"]),
        resource: z.string(),
        place: z.string(),
        ...span,
        failed: z.boolean(),
      }),
    ),
  }),
  /** The containers that keep data: the identity of each before and after. */
  kept: z.array(z.object({ service: z.string(), server: z.string(), before: z.string(), after: z.string() })),
  /** The real data that was restored before the move. @default - the rehearsal's own */
  data: z
    .object({
      name: z.string(),
      work: z.array(z.object({ what: z.string(), bytes: z.number(), seconds: z.number() })),
      databaseBytes: z.number(),
      productionBytes: z.number(),
      tables: z.number(),
      /** The SQL that ran first; null: none. */
      scrub: z.string().nullable(),
      closedServers: z.number(),
    })
    .optional(),
  load: loadReportSchema,
  /** What the load sends: requests per second, and open WebSockets. */
  rates: z.record(z.string(), z.number()),
  versions: z.array(z.object({ what: z.string(), version: z.string() })),
  /** Differences of the rehearsal from production that matter to a reader. */
  notes: z.array(z.string()),
  commands: z.array(z.string()),
});
export type RehearsalRecord = z.infer<typeof recordSchema>;
