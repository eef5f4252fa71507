/** The section `orion:email`. */
import { z } from "zod";
import { emailAddress, port, text } from "./forms.ts";

export const email = z
  .strictObject({
    backend: z
      .enum(["console", "smtp", "sendgrid", "mailgun", "ses"])
      .describe("How e-mail goes out; `console` writes it into the log."),
    from: emailAddress.optional().describe("The sender."),
    smtpHost: z
      .hostname()
      .meta({ patternErrorMessage: "a host name", examples: ["smtp.example.com"] })
      .optional()
      .describe("The SMTP server; its password is the secret `orion:smtpPassword`."),
    smtpPort: port
      .optional()
      .meta({ examples: [587] })
      .describe("Its port."),
    smtpUser: z
      .string()
      .min(1)
      .optional()
      .meta({ examples: ["orion"] })
      .describe("The login there."),
    mailgunDomain: z
      .hostname()
      .meta({ patternErrorMessage: "a host name", examples: ["mg.example.com"] })
      .optional()
      .describe("The domain at Mailgun."),
    sesRegion: text(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region of AWS", "eu-central-1")
      .optional()
      .describe("The region of Amazon SES."),
    sesAccessKeyId: z
      .string()
      .regex(/^[A-Z0-9]{16,128}$/, "the id of an access key of AWS")
      .meta({ patternErrorMessage: "the id of an access key of AWS", examples: ["AKIAIOSFODNN7EXAMPLE"] })
      .optional()
      .describe("The access key whose secret is `orion:emailApiKey`."),
  })
  .describe("E-mail of the platform.");
