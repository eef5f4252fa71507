/** Checks of Redis with Sentinel: whether there can be a majority, and a way by which clients follow it. Pure. */
import { line } from "../line.ts";
import type { Settings } from "../schema.ts";

/** Servers with Redis of which one can be lost, while those that are left agree on another master. */
const leastServers = 3;

/** @returns the problems, one line each */
export function checkCache({ hosting, cache, gateway }: Settings): string[] {
  if (cache.mode === "external" || cache.availability === "single") return [];
  if (hosting === "local") {
    const why = `Sentinel needs ${leastServers} servers, and this stack has one machine`;
    return [line("cache.availability", cache.availability, `single with orion:hosting local: ${why}`)];
  }
  const servers = cache.replicas + 1;
  return [
    ...(servers < leastServers
      ? [
          line(
            "cache.replicas",
            cache.replicas,
            `${leastServers - 1} or more with orion:cache.availability sentinel: ${servers} servers with Redis, the core server and ` +
              `${cache.replicas} more, have no majority when one of them is lost; it takes ${leastServers}`,
          ),
        ]
      : []),
    ...(gateway.enabled
      ? []
      : [
          line(
            "gateway.enabled",
            false,
            "true with orion:cache.availability sentinel: apps and workers follow the master through it",
          ),
        ]),
  ];
}
