/** Schema of `orion:cloudflare`: the zone, and whether visitors come through Cloudflare. */
import { z } from "zod";
import { hostname } from "./value-schemas.ts";

const plan = z.enum(["free", "pro", "business"]);

export const cloudflare = z
  .strictObject({
    enabled: z.boolean().describe("Whether visitors come through Cloudflare."),
    plan: plan.describe("Plan of the zone at Cloudflare; the program checks it and does not change it."),
    zone: hostname
      .optional()
      .meta({ examples: ["example.com"] })
      .describe(
        "The zone at Cloudflare that contains the domain. Absent: the domain's last two labels, or three where two are a public suffix such as co.uk.",
      ),
    zones: z
      .record(hostname, plan)
      .meta({ examples: [{ "example.co.uk": "free" }] })
      .describe(
        "Other zones that contain names of `orion:domains`, with their plans. A zone that is not listed has the last two labels of the name (three under a suffix such as co.uk), and `plan`.",
      ),
    accountId: z
      .string()
      .regex(/^[0-9a-f]{32}$/, "a Cloudflare account id of 32 hexadecimal digits")
      .meta({ patternErrorMessage: "32 hexadecimal digits", examples: ["0123456789abcdef0123456789abcdef"] })
      .optional()
      .describe("Id of the account with the zone and the buckets; required with `orion:storage.backend: r2`."),
  })
  .describe("DNS, CDN and web application firewall.");
