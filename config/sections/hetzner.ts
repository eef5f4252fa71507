/** Schema of `orion:hetzner`: locations and image of the servers, load balancers, and limits of the account. */
import { z } from "zod";
import { count, text } from "./value-schemas.ts";

/** The locations of Hetzner's network zone eu-central; a private network does not reach beyond its zone. */
export const locations = ["fsn1", "nbg1", "hel1"] as const;

export const hetzner = z
  .strictObject({
    locations: z
      .array(z.enum(locations))
      .min(1)
      .max(3)
      .describe("Locations of the servers, in order of preference. `core-1` is in the first one and cannot move."),
    image: text(/^debian-\d+$/, "a Debian image of Hetzner", "debian-12").describe(
      "Operating system of new servers; those that exist keep theirs.",
    ),
    loadBalancerType: text(/^lb\d{2}$/, "a type of load balancer", "lb11").describe("Size of the load balancers."),
    limits: z
      .strictObject({
        servers: count(1, 10_000)
          .meta({ examples: [10] })
          .describe("Number of servers that the account may have, as Hetzner's Console shows it. Absent: not checked."),
        primaryIps: count(1, 10_000)
          .meta({ examples: [10] })
          .describe("Number of primary IPs that the account may have."),
        volumes: count(1, 10_000)
          .meta({ examples: [10] })
          .describe("Number of Volumes that the account may have."),
        loadBalancers: count(1, 10_000)
          .meta({ examples: [5] })
          .describe("Number of load balancers that the account may have."),
      })
      .partial()
      .optional()
      .describe("What the account may have, as Hetzner's Console shows it; the API does not tell. Absent: not known."),
  })
  .describe("The servers.");
