/** The section `orion:backups`. */
import { z } from "zod";
import { count } from "./forms.ts";

export const backups = z
  .strictObject({
    daily: count(1, 365).describe(
      "How many of the newest good backups are kept, whatever their age, and for how many days all are kept.",
    ),
    weekly: count(0, 520).describe("For so many weeks the last good backup of each is kept."),
    monthly: count(0, 240).describe("For so many months the last good backup of each is kept."),
    lockDays: count(0, 3650).describe("For so many days R2 lets nobody delete or overwrite a backup. 0: no lock."),
    lossPercent: count(1, 100).describe(
      "A backup is suspect when a table has lost more than this share of its rows, or the dump of its bytes, in percent.",
    ),
    fluctuating: z
      .array(
        z
          .string()
          .regex(/^[^\s'"]+\.[^\s'"]+$/, "a table such as public.outbox, or several such as public.events_*")
          .meta({ patternErrorMessage: "a table, or several with *", examples: ["public.outbox"] }),
      )
      .describe("Tables whose rows come and go, as `schema.table`, with * for any text; their rows are not compared."),
    replicaWaitSeconds: count(1, 3600).describe(
      "How many seconds a replica may need to replay what the primary has; then the primary itself is dumped.",
    ),
  })
  .describe("Backups of PostgreSQL, in phases with servers and R2.");
