/** The section `orion:edge`. */
import { z } from "zod";
import { browserHeader, count, emailAddress, headerValue, memoryMb, path } from "./forms.ts";

/** Paths of the app that operators use; visitors reach those alone that `orion:edge.public` names. */
export const internalPaths = ["/metrics", "/ready", "/docs", "/redoc", "/openapi.json"] as const;

export const edge = z
  .strictObject({
    balancing: z
      .enum(["direct", "regional", "global"])
      .describe(
        "How visitors reach the edges: `direct`: at the address of the one server with an edge; `regional`: by one load balancer; `global`: by a load balancer in each location, over which Cloudflare spreads visitors.",
      ),
    memoryMb: memoryMb.describe("Memory limit of nginx, in MiB."),
    tls: z
      .enum(["none", "cloudflare-origin-ca", "acme", "self-signed"])
      .describe("Where the edge's certificate comes from."),
    clearText: z
      .boolean()
      .optional()
      .meta({ examples: [true] })
      .describe("Says aloud that visitors of a stack with servers come without TLS (`tls: none`). Absent: refused."),
    bodyLimitMb: count(1, 100).describe("Size of a request's body at most, in MiB."),
    responseSeconds: count(1, 6000).describe(
      "How long the app may take for an answer, in seconds. Cloudflare waits 120 s, on every plan but Enterprise.",
    ),
    websockets: z
      .array(path.meta({ examples: ["/ws"] }))
      .describe("Paths at which the app takes WebSockets; elsewhere the edge passes no `Upgrade` on."),
    private: z.array(path).describe("Further paths of the app, with what is below them, that visitors get 404 for."),
    public: z
      .array(z.enum(internalPaths))
      .describe("The app's paths for operators that visitors may reach nevertheless."),
    headers: z
      .record(browserHeader, headerValue)
      .describe("Headers for browsers, where the app does not set them itself; an empty text leaves one out."),
    limits: z
      .strictObject({
        requestsPerSecond: count(1, 100_000).describe("Requests that the app answers; twice as many may come at once."),
        connections: count(1, 4096).describe("Requests at a time, WebSockets not included."),
        websockets: count(1, 4096).describe("WebSockets at a time."),
      })
      .describe("Limits for each client's address."),
    acme: z
      .strictObject({
        server: z
          .url({ protocol: /^https$/ })
          .meta({ patternErrorMessage: "an address that starts with https://" })
          .describe("Directory of the authority."),
        email: emailAddress.optional().describe("The address that the authority sends its notices to. Absent: none."),
        authority: z
          .string()
          .regex(/^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/, "certificates in PEM")
          .meta({
            patternErrorMessage: "certificates in PEM",
            examples: ["-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----"],
          })
          .optional()
          .describe("CA certificates that verify the authority's own server. Absent: the public CAs."),
      })
      .describe("The authority of `tls: acme`."),
  })
  .describe("nginx, which visitors reach first.");
