/** The section `orion:backups`. */
import { z } from "zod";
import { count } from "./forms.ts";

export const backups = z
  .strictObject({
    daily: count(1, 365).describe(
      "Number of the newest good backups that are kept whatever their age, and number of days for which every backup is kept.",
    ),
    weekly: count(0, 520).describe(
      "Number of weeks of which the last good backup is kept: the newest weeks that have one.",
    ),
    monthly: count(0, 240).describe(
      "Number of months of which the last good backup is kept: the newest months that have one.",
    ),
    lockDays: count(0, 3650).describe(
      "Number of days for which R2 lets nobody delete or overwrite a backup. 0: no lock.",
    ),
    lossPercent: count(1, 100).describe(
      "Percentage. A backup is suspect when a table has lost more than this share of its rows since the backup before, or the dump this share of its bytes.",
    ),
    fluctuating: z
      .array(
        z
          .string()
          .regex(/^[^\s'"]+\.[^\s'"]+$/, "a table such as public.outbox, or several such as public.events_*")
          .meta({ patternErrorMessage: "a table, or several with *", examples: ["public.outbox"] }),
      )
      .describe(
        "Tables whose rows come and go, as `schema.table`, with * for any text; a loss of their rows makes no backup suspect.",
      ),
    replicaWaitSeconds: count(1, 3600).describe(
      "Seconds that the replica gets to catch up with the primary before it is dumped; after that the primary is dumped instead.",
    ),
  })
  .describe("Backups of PostgreSQL, in stacks with servers and R2.");
