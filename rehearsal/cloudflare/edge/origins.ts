/** Selects the origins for a host name from the zone's current DNS records and load balancers. */
import { isRecord } from "../../../common/record.ts";
import type { Json } from "../../json.ts";
import { records, texts } from "../body.ts";
import { ownedBy, type Zone } from "../state.ts";
import type { World } from "../world.ts";
import type { Health } from "./monitors.ts";

export interface Origin {
  /** An IP address or a host name outside of the zone. */
  readonly address: string;
  /** Host header set by the pool. */
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** The Cloudflare error when a host name has no origin. */
export interface NoOrigin {
  readonly status: number;
  readonly code: number;
  readonly reason: string;
}

export const hasNoOrigin = (found: readonly Origin[] | NoOrigin): found is NoOrigin => "status" in found;

/** The origins for a host name, in the order in which to try them. */
export function originsOf(
  world: World,
  zone: Zone,
  hostname: string,
  health: Health,
  turn: number,
): readonly Origin[] | NoOrigin {
  const balancer = ownedBy(world.store, "cloudflare.balancer", zone.id).find(
    (each) => each["name"] === hostname && each["enabled"] !== false,
  );
  if (balancer !== undefined) return balanced(world, balancer, health, turn);
  const found = resolve(ownedBy(world.store, "cloudflare.record", zone.id), hostname, turn, 0);
  return found.length > 0
    ? found
    : { status: 409, code: 1001, reason: `DNS resolution error: no proxied record for ${hostname}` };
}

/** The records of a host name: exact matches, else those of the wildcard that covers it. */
export function recordsFor(all: readonly Json[], hostname: string): Json[] {
  const wildcard = hostname.replace(/^[^.]+/, "*");
  const exact = all.filter(({ name }) => name === hostname);
  return exact.length > 0 ? exact : all.filter(({ name }) => name === wildcard);
}

function resolve(all: readonly Json[], hostname: string, turn: number, depth: number): Origin[] {
  const matching = recordsFor(all, hostname).filter(
    ({ proxied, type }) => (depth > 0 || proxied === true) && ["A", "AAAA", "CNAME"].includes(String(type)),
  );
  const addresses = matching.flatMap(({ type, content }): Origin[] => {
    const target = String(content);
    if (type !== "CNAME") return [{ address: target, host: undefined, port: undefined }];
    const inner = depth < 8 ? resolve(all, target, turn, depth + 1) : [];
    return inner.length > 0 ? inner : [{ address: target, host: undefined, port: undefined }];
  });
  return rotate(addresses, turn);
}

const rotate = <T>(items: readonly T[], by: number): T[] => {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
};

function balanced(world: World, balancer: Json, health: Health, turn: number): readonly Origin[] | NoOrigin {
  const ids = texts(balancer["default_pools"]);
  const isSpread = ["random", "least_outstanding_requests", "least_connections"].includes(
    String(balancer["steering_policy"]),
  );
  const pools = (isSpread ? rotate(ids, turn) : ids).flatMap((id): Json[] => {
    const pool = world.store.get("cloudflare.pool", id);
    return pool === undefined ? [] : [pool.value];
  });
  const usable = pools
    .map((pool) => healthy(pool, health))
    .filter((origins, index) => {
      const least = pools[index]?.["minimum_origins"];
      return origins.length > 0 && origins.length >= (typeof least === "number" ? least : 1);
    });
  if (usable.length > 0) return usable.flatMap((origins) => rotate(origins, turn));
  const fallback = world.store.get("cloudflare.pool", String(balancer["fallback_pool"]))?.value;
  const last = fallback === undefined ? [] : enabledOrigins(fallback).map(asOrigin);
  return last.length > 0
    ? rotate(last, turn)
    : { status: 503, code: 1000, reason: "no origin of the load balancer is enabled" };
}

const enabledOrigins = (pool: Json): Json[] =>
  pool["enabled"] === false
    ? []
    : records(pool["origins"]).filter(({ enabled, weight }) => enabled !== false && weight !== 0);

function healthy(pool: Json, health: Health): Origin[] {
  return enabledOrigins(pool)
    .filter(({ address }) => health.isHealthy(String(pool["id"]), String(address)))
    .map(asOrigin);
}

function asOrigin({ address, header, port }: Json): Origin {
  const [host] = texts(isRecord(header) ? header["Host"] : undefined);
  return { address: String(address), host, port: typeof port === "number" && port > 0 ? port : undefined };
}
