/** Schema of `orion:alerts`: who is told when a backup, a restore drill or a renewal of the certificate fails. */
import { z } from "zod";
import { emailAddress } from "./value-schemas.ts";

export const alerts = z
  .strictObject({
    email: emailAddress
      .optional()
      .meta({ examples: ["operators@example.com"] })
      .describe(
        "Address that alerts are sent to, through the SMTP server of `orion:email`; allowed with `orion:email.backend: smtp` only.",
      ),
  })
  .describe("Who is told when a backup, a restore drill or a renewal of the certificate fails.");
