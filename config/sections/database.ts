/** Schema of `orion:database`: PostgreSQL, own or external, its memory, replicas and pooler. */
import { z } from "zod";
import { certificates, count, memoryMb, serverTypes, text } from "./value-schemas.ts";

export const database = z
  .strictObject({
    mode: z
      .enum(["provision", "external"])
      .describe(
        "Whether the program runs PostgreSQL (`provision`), or uses the server that the secret `orion:databaseUrl` names (`external`).",
      ),
    availability: z
      .enum(["single", "replica", "patroni"])
      .describe(
        "How PostgreSQL runs. `single`: on one server; `replica`: a primary and a streaming replica; `patroni`: three members with automatic failover.",
      ),
    pooler: z.boolean().describe("Whether clients reach PostgreSQL through PgBouncer."),
    memoryMb: memoryMb.describe(
      "Memory limit of PostgreSQL, in MiB, which it is tuned for. A stack that sets `servers` and not this gets three eighths of the memory of the smallest of these types.",
    ),
    maxConnections: count(30, 5000).describe(
      "PostgreSQL's max_connections; a change restarts PostgreSQL. With an external database: the number of connections that it accepts.",
    ),
    volumeGb: count(10, 10_000).describe("Size of the Volume with the data, in GB; it can grow, never shrink."),
    primary: z
      .string()
      .regex(/^(core-1|db-[2-9])$/, "core-1, or the server that make promote-replica has set, such as db-2")
      .meta({ patternErrorMessage: "core-1, or a server of a replica", examples: ["db-2"] })
      .describe("The server with the primary. Only `make promote-replica` sets it."),
    servers: serverTypes.describe("Types of the servers with PostgreSQL, in order of preference."),
    version: count(10, 99)
      .optional()
      .meta({ examples: [15] })
      .describe(
        "Major version of PostgreSQL that wrote the data and that `orion:images.postgres` has; for when the container or the image cannot be asked for it. Absent: both are asked.",
      ),
    extensions: z
      .array(text(/^[a-z][a-z0-9_-]{0,62}$/, "the name of an extension of PostgreSQL", "pg_trgm"))
      .describe(
        "Extensions that the program creates in the database. Migrations can create those that PostgreSQL calls trusted themselves.",
      ),
    rotation: count(0, 1_000_000).describe(
      "Raise it by one to change the app's password: the app then logs in as its other role (even numbers: orion_app_a, odd ones: orion_app_b) with a new password.",
    ),
    authority: certificates
      .optional()
      .describe(
        "CA certificates, in PEM, with which PgBouncer verifies an external database; with `movable` and `pooler` alone. Other clients have them from `sslrootcert` in the URL.",
      ),
    movable: z
      .boolean()
      .describe(
        "Whether `make move-database` can move the data to an external database and back: PostgreSQL writes what logical replication needs (a change restarts it once), and with `mode: external` the stack's own PostgreSQL runs as well.",
      ),
  })
  .describe("PostgreSQL.");
