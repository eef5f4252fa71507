/** Schema of `orion:monitoring`: whether a server collects metrics and logs. */
import { z } from "zod";
import { serverTypes } from "./value-schemas.ts";

export const monitoring = z
  .strictObject({
    enabled: z.boolean().describe("Whether a separate server collects metrics and logs."),
    servers: serverTypes.describe("Types of this server, in order of preference."),
  })
  .describe("Metrics and logs.");
