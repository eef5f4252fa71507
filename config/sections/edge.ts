/** Schema of `orion:edge`: nginx: certificate, limits, paths and headers. */
import { z } from "zod";
import { certificates, browserHeader, count, emailAddress, headerValue, memoryMb, path } from "./value-schemas.ts";

/** Paths of the app that operators use; visitors reach those alone that `orion:edge.public` names. */
export const internalPaths = ["/metrics", "/ready", "/docs", "/redoc", "/openapi.json"] as const;

export const edge = z
  .strictObject({
    balancing: z
      .enum(["direct", "regional", "global"])
      .describe(
        "How visitors reach the edges. `direct`: at the address of the one server with an edge; `regional`: through one load balancer; `global`: through a load balancer in each location, among which Cloudflare balances.",
      ),
    memoryMb: memoryMb.describe("Memory limit of nginx, in MiB."),
    tls: z
      .enum(["none", "cloudflare-origin-ca", "acme", "self-signed"])
      .describe("Source of the edge's certificate; `none`: no TLS."),
    clearText: z
      .boolean()
      .optional()
      .meta({ examples: [true] })
      .describe(
        "Confirms that visitors of a stack with servers come without TLS (`tls: none`). Absent: `none` is refused there.",
      ),
    bodyLimitMb: count(1, 100).describe("Largest body of a request, in MiB."),
    responseSeconds: count(1, 6000).describe(
      "How long the app may take for an answer, in seconds. Cloudflare waits 120 s, on every plan but Enterprise.",
    ),
    websockets: z
      .array(path.meta({ examples: ["/ws"] }))
      .describe("Paths at which the app takes WebSockets; at all others the edge does not pass `Upgrade` on."),
    sticky: z
      .array(path.meta({ examples: ["/socket.io"] }))
      .describe(
        "Paths, each with everything below it, at which a client's address always reaches the same instance, for an app that keeps sessions in its memory, such as Socket.IO's long polling. Needs `app.uvicornWorkers: 1` and apps on one server.",
      ),
    private: z.array(path).describe("Paths of the app, each with everything below it, that visitors get 404 for."),
    public: z
      .array(z.enum(internalPaths))
      .describe("Paths for operators (see the values) that visitors may reach; for the others they get 404."),
    headers: z
      .record(browserHeader, headerValue)
      .describe(
        "Headers for browsers that the edge adds where the app does not send them; an empty text leaves one out.",
      ),
    limits: z
      .strictObject({
        requestsPerSecond: count(1, 100_000).describe(
          "Requests to the app per second and client address; twice as many may come at once.",
        ),
        connections: count(1, 4096).describe("Requests at a time per client address, without WebSockets."),
        websockets: count(1, 4096).describe("WebSockets at a time per client address."),
      })
      .describe("Limits for each client's address."),
    acme: z
      .strictObject({
        server: z
          .url({ protocol: /^https$/ })
          .meta({ patternErrorMessage: "an address that starts with https://" })
          .describe("Address of the directory of the authority of `tls: acme`."),
        email: emailAddress.optional().describe("Address that the authority sends notices to. Absent: none."),
        authority: certificates
          .optional()
          .describe("CA certificates that verify the authority's own server. Absent: the public CAs."),
      })
      .describe("The authority of `tls: acme`."),
  })
  .describe("nginx, which visitors reach first.");
