/** Redis without failover: one Redis for the cache and one for the broker; a stack on a local Docker Engine has one for both. */
import { redisDatabases } from "../../common/app-contract.ts";
import { hasServers, servicesOf } from "../../topology/topology.ts";
import type { Service } from "../../topology/service.ts";
import { publishedAddress } from "../published-address.ts";
import type { Context } from "../context.ts";
import { Cache } from "./cache.ts";
import type { Redis } from "./redis.ts";
import type { RedisUse } from "./redis-config.ts";

export function singleRedis({ settings, topology, runtimes, parent }: Context): Redis | undefined {
  const [service] = servicesOf(topology, "cache");
  if (!service) return undefined;
  const create = (name: string, of: Service, use: RedisUse, maxMemoryMb: number) => {
    const address = hasServers(topology) ? { address: publishedAddress(of) } : {};
    return new Cache(name, { runtime: runtimes.of(of), service: of, use, maxMemoryMb, ...address }, { parent });
  };
  const [brokerService] = servicesOf(topology, "broker");
  const { maxMemoryMb, brokerMaxMemoryMb } = settings.cache;
  // A Redis that is also the broker must not evict.
  const main = create("cache", service, brokerService ? "cache" : "all", maxMemoryMb);
  const broker = brokerService ? create("broker", brokerService, "broker", brokerMaxMemoryMb) : main;
  const urls = {
    redisUrl: main.url(redisDatabases.sessions),
    brokerUrl: broker.url(redisDatabases.broker),
    resultBackendUrl: broker.url(redisDatabases.results),
    flagsUrl: main.url(redisDatabases.flags),
  };
  return { urls: () => urls, ready: [main, ...(broker === main ? [] : [broker])] };
}
