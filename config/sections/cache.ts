/** The section `orion:cache`. */
import { z } from "zod";
import { count, memoryMb, serverTypes, text } from "./forms.ts";

export const cache = z
  .strictObject({
    mode: z
      .enum(["provision", "external"])
      .describe("Whether the program runs Redis, or uses those of `orion:redisUrl` and `orion:brokerUrl`."),
    availability: z.enum(["single", "sentinel"]).describe("One Redis for each purpose, or three nodes with Sentinel."),
    maxMemoryMb: memoryMb.describe("Redis' maxmemory for the data of the cache, in MiB."),
    brokerMaxMemoryMb: memoryMb.describe("Redis' maxmemory for the tasks of the broker, in MiB."),
    appKeys: z
      .array(text(/^[^\s"'()%~&]+$/, "a pattern of Redis' keys without spaces,", "redbeat:*"))
      .describe(
        "Keys of the broker that the app may use besides Celery's own, as Redis' patterns. Workers may use all.",
      ),
    servers: serverTypes.describe("Types of the servers with Redis' replicas, in order of preference."),
    version: count(5, 99)
      .optional()
      .meta({ examples: [7] })
      .describe(
        "Major version of the data and of `orion:images.redis`, for when neither can be asked. Absent: both are asked.",
      ),
  })
  .describe("Redis: the cache and the broker of Celery.");
