/** The section `orion:gateway`. */
import { z } from "zod";

export const gateway = z
  .strictObject({
    enabled: z
      .boolean()
      .describe(
        "Whether apps, workers and the release reach PostgreSQL and Redis through HAProxy on their own server, by names that never change. Needs servers.",
      ),
  })
  .describe("The way from the platform's processes to their data.");
