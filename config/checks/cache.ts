/** Checks Redis with Sentinel: at least three servers, and the gateway. Pure. */
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
  if (gateway.enabled) return [];
  const why = "apps and workers follow the master through it";
  return [line("gateway.enabled", false, `true with orion:cache.availability sentinel: ${why}`)];
}
