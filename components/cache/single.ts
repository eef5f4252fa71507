/** Redis without failover: one Redis for the cache and one for the broker; a stack on a local Docker Engine has one for both. */
import type * as pulumi from "@pulumi/pulumi";
import { redisDatabases } from "../../common/app-contract.ts";
import { gatewayAddress, hasGateway } from "../../topology/services/gateway.ts";
import { hasServers, servicesOf } from "../../topology/topology.ts";
import { redisPorts } from "../../topology/services/redis.ts";
import { authorityFile } from "../../common/server-contract.ts";
import type { Service } from "../../topology/service.ts";
import { publishedAddress } from "../published-address.ts";
import type { Authority } from "../authority/authority.ts";
import type { Context } from "../context.ts";
import { Cache, type TlsInput } from "./cache.ts";
import type { Redis } from "./redis.ts";
import type { RedisEndpoint } from "./redis-url.ts";
import type { RedisUse } from "./redis-config.ts";

export function singleRedis(context: Context): Redis | undefined {
  const { settings, topology, runtimes, parent } = context;
  const [service] = servicesOf(topology, "cache");
  if (!service) return undefined;
  const create = (name: string, of: Service, use: RedisUse, maxMemoryMb: number): NamedCache => {
    const { appKeys } = settings.cache;
    const args = {
      ...{ runtime: runtimes.of(of), service: of, use, maxMemoryMb, appKeys },
      ...{ endpoint: endpointOf(context, of), tls: createCertificate(context, name, of) },
    };
    return { name, cache: new Cache(name, args, { parent }) };
  };
  const [brokerService] = servicesOf(topology, "broker");
  const { maxMemoryMb, brokerMaxMemoryMb } = settings.cache;
  // The one Redis of a local stack is also the broker, and must not evict.
  const main = create("cache", service, hasServers(topology) ? "cache" : "all", maxMemoryMb);
  return redisOf(context, main, brokerService ? create("broker", brokerService, "broker", brokerMaxMemoryMb) : main);
}

export interface NamedCache {
  readonly name: string;
  readonly cache: Cache;
}

/** How clients reach a cache and a broker, which may be the same. */
export function redisOf({ settings, authority, parent }: Context, main: NamedCache, broker: NamedCache): Redis {
  const all = [...new Set([main, broker])];
  return {
    urls: (_server, client) => ({
      redisUrl: main.cache.url(client, redisDatabases.sessions),
      brokerUrl: broker.cache.url(client, redisDatabases.broker),
      resultBackendUrl: broker.cache.url(client, redisDatabases.results),
      flagsUrl: main.cache.url(client, redisDatabases.flags),
    }),
    // It reads no TLS parameters from the broker's URL when it asks for queue lengths.
    flowerEnvironment: authority && !hasGateway(settings) ? { SSL_CERT_FILE: authorityFile } : {},
    ready: all.map(({ cache }) => cache),
    endFormerLogins: (clients) => {
      for (const { name, cache } of all) cache.endFormerLogins(name, { parent, dependsOn: [...clients] });
    },
  };
}

/** Where and how clients reach a Redis. */
export function endpointOf({ settings, topology, authority }: Context, service: Service): RedisEndpoint {
  if (!hasServers(topology)) return { address: `${service.name}:${redisPorts.redis}` };
  // The gateway speaks TLS to the server.
  if (hasGateway(settings)) return { address: gatewayAddress(service.kind === "broker" ? "broker" : "cache") };
  return { address: publishedAddress(service), ...(authority && { authorityFile }) };
}

/** The certificate of a Redis on a server; undefined with a local Docker Engine. */
export const createCertificate = (
  { authority, parent }: Context,
  name: string,
  service: Service,
): TlsInput | undefined => authority && signedBy(authority, name, service, parent);

/** A certificate for the name and the addresses of a service. */
export function signedBy(authority: Authority, name: string, service: Service, parent: pulumi.Resource): TlsInput {
  const names = {
    dnsNames: [service.name],
    ipAddresses: [...new Set(service.published.map(({ address }) => address))],
  };
  const { certificate, privateKey } = authority.sign(`${name}-certificate`, names, { parent });
  return { certificate, privateKey, authority: authority.certificate };
}
