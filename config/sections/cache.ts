/** Schema of `orion:cache`: Redis, the cache and the broker of Celery. */
import { z } from "zod";
import { count, memoryMb, serverTypes, text } from "./value-schemas.ts";

/** A single check with the reason, so that 0 and 1 get the same answer. */
const replicas = z
  .int()
  .max(9)
  .refine(
    (number) => number >= 2,
    "2 or more: with the core server that makes 3, so that a majority remains when one is lost",
  )
  .meta({ minimum: 2 });

export const cache = z
  .strictObject({
    mode: z
      .enum(["provision", "external"])
      .describe(
        "Whether the program runs Redis (`provision`), or uses the servers that the secrets `orion:redisUrl` and `orion:brokerUrl` name (`external`).",
      ),
    availability: z
      .enum(["single", "sentinel"])
      .describe("How Redis runs. `single`: one for cache and one for broker; `sentinel`: three nodes with Sentinel."),
    maxMemoryMb: memoryMb.describe("Redis' maxmemory for the data of the cache, in MiB."),
    brokerMaxMemoryMb: memoryMb.describe("Redis' maxmemory for the tasks of the broker, in MiB."),
    appKeys: z
      .array(text(/^[^\s"'()%~&]+$/, "a pattern of Redis' keys without spaces,", "redbeat:*"))
      .describe(
        "Keys of the broker that the app may use besides Celery's own, as patterns of Redis. Workers may use every key.",
      ),
    replicas: replicas.describe(
      "How many servers have replicas of cache and broker, with `sentinel`: at least two. Three Sentinels watch them, on the core server and on the first two of these.",
    ),
    servers: serverTypes.describe("Types of the servers with Redis' replicas, in order of preference."),
    version: count(5, 99)
      .optional()
      .meta({ examples: [7] })
      .describe(
        "Major version of Redis that wrote the data and that `orion:images.redis` has; for when the container or the image cannot be asked for it. Absent: both are asked.",
      ),
  })
  .describe("Redis: the cache and the broker of Celery.");
