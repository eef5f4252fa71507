/** The section `orion:database`. */
import { z } from "zod";
import { count, memoryMb, serverTypes, text } from "./forms.ts";

export const database = z
  .strictObject({
    mode: z
      .enum(["provision", "external"])
      .describe("Whether the program runs PostgreSQL, or uses one of `orion:databaseUrl`."),
    availability: z
      .enum(["single", "replica", "patroni"])
      .describe("One server; a primary with a streaming replica; three members with automatic failover."),
    pooler: z.boolean().describe("Whether clients reach PostgreSQL through PgBouncer."),
    memoryMb: memoryMb.describe(
      "Memory limit of PostgreSQL, in MiB; it is tuned for this much. A stack that names `servers` alone gets three eighths of the memory of the smallest of them.",
    ),
    maxConnections: count(30, 5000).describe(
      "PostgreSQL's max_connections; a change restarts it. With an external database: the number that it accepts.",
    ),
    volumeGb: count(10, 10_000).describe("Size of the Volume with the data, in GB; it can grow, never shrink."),
    primary: z
      .string()
      .regex(/^(core-1|db-[2-8])$/, "core-1, or the server that make promote-replica has set, such as db-2")
      .meta({ patternErrorMessage: "core-1, or a server of a replica", examples: ["db-2"] })
      .describe("The server with the primary; `make promote-replica` sets it."),
    servers: serverTypes.describe("Types of the servers with PostgreSQL, in order of preference."),
    version: count(10, 99)
      .optional()
      .meta({ examples: [15] })
      .describe(
        "Major version of the data and of `orion:images.postgres`, for when neither can be asked. Absent: both are asked.",
      ),
    extensions: z
      .array(text(/^[a-z][a-z0-9_-]{0,62}$/, "the name of an extension of PostgreSQL", "pg_trgm"))
      .describe(
        "Extensions that are created in the database; migrations may create those that PostgreSQL calls trusted themselves.",
      ),
    rotation: count(0, 1_000_000).describe(
      "How often the app's password was changed. Raised by one, the app logs in as its other role with a new password: even numbers are orion_app_a, odd ones orion_app_b.",
    ),
  })
  .describe("PostgreSQL.");
