/** Schema of the settings without a section, such as phase, hosting and domain. */
import { z } from "zod";
import { hostname, text } from "./value-schemas.ts";

export const phases = ["development", "mvp", "scale", "enterprise", "ha"] as const;
export type Phase = (typeof phases)[number];

/**
 * The services that `orion:services` can leave out on a local Docker Engine. PostgreSQL always runs there, and with servers
 * nothing can be left out.
 */
export const optionalServices = ["testDatabase", "cache", "app", "workers", "beat", "flower", "edge", "docs"] as const;
export type OptionalService = (typeof optionalServices)[number];

export const topLevel = {
  phase: z.enum(phases).describe("The growth phase: it sets the default of every other setting."),
  hosting: z
    .enum(["local", "hetzner"])
    .describe("Where containers run: on the Docker Engine of this machine, or on servers at Hetzner."),
  services: z
    .array(z.enum(optionalServices))
    .describe("What runs beside PostgreSQL in a local stack. With servers all of it runs."),
  domain: hostname
    .optional()
    .describe("The public host name of the platform, which its own links name; required from phase mvp on."),
  domains: z
    .record(hostname, z.enum(["redirect", "serve"]))
    .meta({ examples: [{ "www.example.com": "redirect" }] })
    .describe(
      "Other host names of the platform, such as `www` and former ones. `redirect`: visitors are sent to the same path of `orion:domain`; `serve`: the app answers them as well.",
    ),
  protection: z
    .boolean()
    .describe(
      "Whether the engine and the providers refuse to delete resources with data. Switch it off before deleting a stack for good.",
    ),
  agreed: z
    .array(text(/^[\w.-]+$/, "a name that a refused update has shown,", "www.example.com"))
    .describe(
      "What the stack gives up on purpose, by the name in the message of the refused update, such as a host name, an extension or a server (docs/moves.md#agreeing lists all).",
    ),
  stateUrl: z
    .string()
    .regex(
      /^(file:\/\/\/|s3:\/\/[a-z0-9][a-z0-9.-]+)[^\s#]*$/,
      "an address that starts with file:/// or s3://BUCKET, such as s3://orion-state?endpoint=https://ACCOUNT.r2.cloudflarestorage.com&region=auto",
    )
    .meta({
      patternErrorMessage: "an address that starts with file:/// or s3://",
      examples: ["s3://orion-state?endpoint=https://ACCOUNT.r2.cloudflarestorage.com&region=auto"],
    })
    .optional()
    .describe(
      "Where the engine keeps the stack's state; `make state-move` sets it. Absent: where PULUMI_BACKEND_URL or `backend:` in Pulumi.yaml says, otherwise in the project's folder.",
    ),
  dockerHost: text(
    /^(unix|tcp|ssh):\/\/\S+$/,
    "an address that starts with unix://, tcp:// or ssh://,",
    "unix:///var/run/docker.sock",
  )
    .optional()
    .describe(
      "Address of the Docker Engine that the containers of a local stack run on. Absent: the one that the `docker` command uses (DOCKER_HOST, or the context of `docker context use`).",
    ),
};
