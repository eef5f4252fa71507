/** Schema of `orion:storage`: where files and backups are. */
import { z } from "zod";
import { hostname, text } from "./value-schemas.ts";

export const storage = z
  .strictObject({
    backend: z.enum(["local", "r2"]).describe("Where files are: on the server, or in Cloudflare R2."),
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{1,53}[a-z0-9]$/, "a bucket name of 3 to 55 lower-case letters, digits and hyphens")
      .meta({ patternErrorMessage: "3 to 55 lower-case letters, digits and hyphens", examples: ["orion-files"] })
      .optional()
      .describe(
        "The bucket for files, required with `backend: r2`; the one for backups has this name with `-backups` at its end, that of point-in-time recovery with `-archive`.",
      ),
    endpoint: text(/^https?:\/\/[^/\s]+$/, "an address", "https://<account>.r2.cloudflarestorage.com")
      .optional()
      .describe("Address of the S3 interface. Absent: that of R2 for the account."),
    clearText: z
      .boolean()
      .optional()
      .meta({ examples: [true] })
      .describe(
        "Confirms that files and backups cross the network in clear text (an `endpoint` with http://). Absent: such an endpoint is refused.",
      ),
    noBackups: z
      .boolean()
      .optional()
      .meta({ examples: [true] })
      .describe(
        "Confirms that a stack with servers has no backups (`backend: local`). Absent: `local` is refused there.",
      ),
    customDomain: hostname
      .optional()
      .meta({ examples: ["files.example.com"] })
      .describe("Host name in the zone at which the files are public. Absent: the app serves them."),
  })
  .describe("Files and backups.");
