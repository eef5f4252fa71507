/** Schema of `orion:gateway`: the way from the platform's processes to their data. */
import { z } from "zod";
import { count } from "./value-schemas.ts";

export const gateway = z
  .strictObject({
    enabled: z
      .boolean()
      .describe(
        "Whether apps, workers and the release reach PostgreSQL and Redis through HAProxy on their own server, by names that never change. Needs servers.",
      ),
    maxReplicaLagSeconds: count(1, 86_400).describe(
      "How many seconds a replica may be behind the primary and still be read; without such a replica, the primary is read.",
    ),
  })
  .describe("The way from the platform's processes to their data.");
