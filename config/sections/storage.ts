/** The section `orion:storage`. */
import { z } from "zod";
import { hostname, text } from "./forms.ts";

export const storage = z
  .strictObject({
    backend: z.enum(["local", "r2"]).describe("Where files are: on the server, or in Cloudflare R2."),
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{1,53}[a-z0-9]$/, "a bucket name of 3 to 55 lower-case letters, digits and hyphens")
      .meta({ patternErrorMessage: "3 to 55 lower-case letters, digits and hyphens", examples: ["orion-files"] })
      .optional()
      .describe("The bucket of the files; that of the backups has `-backups` behind the same name."),
    endpoint: text(/^https?:\/\/[^/\s]+$/, "an address", "https://<account>.r2.cloudflarestorage.com")
      .optional()
      .describe("Address of the S3 interface. Absent: R2's own for the account."),
    clearText: z
      .boolean()
      .optional()
      .meta({ examples: [true] })
      .describe(
        "Says aloud that files and backups cross the network in clear text (an `endpoint` with http://). Absent: refused.",
      ),
    noBackups: z
      .boolean()
      .optional()
      .meta({ examples: [true] })
      .describe("Says aloud that a stack with servers has no backups (`backend: local`). Absent: refused."),
    customDomain: hostname
      .optional()
      .meta({ examples: ["files.example.com"] })
      .describe("Host name in the zone under which the files are public. Absent: they are served through the app."),
  })
  .describe("Files and backups.");
