/** Schema of `orion:images`: where images come from. */
import { z } from "zod";
import { imageReference, registry, registryHost } from "./value-schemas.ts";

export const images = z
  .strictObject({
    registry: registry.optional().describe("A mirror of the official images. Absent: Docker Hub."),
    pinned: z
      .boolean()
      .describe(
        "Whether servers pull official images by tag and the digest in `config/image-pins.json`, or by tag alone.",
      ),
    login: z
      .strictObject({
        registry: registryHost.describe("Registry that asks for a login; its images are pulled with `user`."),
        user: z
          .string()
          .min(1)
          .meta({ examples: ["orion"] })
          .describe("User name at this registry; the password is the secret `orion:registryPassword`."),
      })
      .optional()
      .describe("Login at a private image registry. Absent: anonymous."),
    postgres: imageReference
      .meta({ examples: ["registry.example.com/mirror/postgres:15"] })
      .optional()
      .describe(
        "PostgreSQL's image, in place of the official one. With point-in-time recovery pgBackRest is added to it, so it must be made from Debian or Ubuntu.",
      ),
    database: imageReference
      .meta({ examples: ["registry.example.com/orion/postgres:15"] })
      .optional()
      .describe(
        "An image of PostgreSQL that has pgBackRest, in place of the one that the servers build for point-in-time recovery.",
      ),
    redis: imageReference
      .meta({ examples: ["registry.example.com/mirror/redis:7"] })
      .optional()
      .describe("Redis' image, in place of the official one."),
    nginx: imageReference
      .meta({ examples: ["registry.example.com/mirror/nginx:1.28"] })
      .optional()
      .describe("nginx' image, in place of the official one."),
    haproxy: imageReference
      .meta({ examples: ["registry.example.com/mirror/haproxy:3.0"] })
      .optional()
      .describe(
        "HAProxy's image, in place of the official one; of version 3.0 or later. With `orion:database.pooler` PgBouncer is added to it, so it must be made from Debian 13 or later.",
      ),
    pooler: imageReference
      .meta({ examples: ["registry.example.com/orion/pgbouncer:1.25"] })
      .optional()
      .describe("An image that has PgBouncer (1.22 or later) and psql, in place of the one that the servers build."),
    rclone: imageReference
      .meta({ examples: ["registry.example.com/mirror/rclone:1.71"] })
      .optional()
      .describe("rclone's image, in place of the official one."),
    certbot: imageReference
      .meta({ examples: ["registry.example.com/mirror/certbot:v5.1.0"] })
      .optional()
      .describe("Certbot's image, in place of the official one."),
  })
  .describe("Where images come from.");
