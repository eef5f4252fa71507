/** Schema of `orion:backups`: backups of PostgreSQL, their retention, and point-in-time recovery. */
import { z } from "zod";
import { count } from "./value-schemas.ts";

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
      "Number of days for which R2 refuses to delete or overwrite a backup, and the backup script deletes none. 0: no lock.",
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
    pointInTime: z
      .boolean()
      .describe(
        "Whether pgBackRest archives every change to R2, so that the database can be restored to any second; in stacks with a database of their own.",
      ),
    pointInTimeDays: count(1, 365).describe(
      "Number of days into the past to which the database can be restored to any second.",
    ),
    archiveQueueGb: count(1, 500).describe(
      "Gigabytes of changes that may wait on the Volume while R2 cannot be reached. What is more is given up, with an alert: then a new full backup begins. At most half of the Volume.",
    ),
    replicaWaitSeconds: count(1, 3600).describe(
      "Seconds that the replica gets to catch up with the primary before a dump or a base backup reads it; after that the primary is read instead.",
    ),
  })
  .describe("Backups of PostgreSQL, in stacks with servers and R2.");
