/** Schema of `orion:email`: how the platform sends e-mail. */
import { z } from "zod";
import { emailAddress, hostname, port, text } from "./value-schemas.ts";

export const email = z
  .strictObject({
    backend: z
      .enum(["console", "smtp", "sendgrid", "mailgun", "ses"])
      .describe("How e-mail is sent; `console`: it is only written into the log."),
    from: emailAddress.optional().describe("The sender's address."),
    smtpHost: z
      .hostname()
      .meta({ patternErrorMessage: "a host name", examples: ["smtp.example.com"] })
      .optional()
      .describe(
        "The SMTP server, required with `backend: smtp`; the password there is the secret `orion:smtpPassword`.",
      ),
    smtpPort: port
      .optional()
      .meta({ examples: [587] })
      .describe("Port of the SMTP server."),
    smtpUser: z
      .string()
      .min(1)
      .optional()
      .meta({ examples: ["orion"] })
      .describe("User name at the SMTP server."),
    mailgunDomain: hostname
      .meta({ examples: ["mg.example.com"] })
      .optional()
      .describe("The domain at Mailgun; required with `backend: mailgun`."),
    sesRegion: text(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region of AWS", "eu-central-1")
      .optional()
      .describe("The region of Amazon SES; required with `backend: ses`."),
    sesAccessKeyId: z
      .string()
      .regex(/^[A-Z0-9]{16,128}$/, "the id of an access key of AWS")
      .meta({ patternErrorMessage: "the id of an access key of AWS", examples: ["AKIAIOSFODNN7EXAMPLE"] })
      .optional()
      .describe(
        "Id of the access key for Amazon SES, required with `backend: ses`; its secret is `orion:emailApiKey`.",
      ),
  })
  .describe("E-mail of the platform.");
