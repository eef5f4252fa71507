/** Which servers an update needs from Hetzner, and what Hetzner cannot give. Pure. */
import { canGet, type ServerTypes, type TypeFacts } from "../common/hetzner.ts";
import { type Server, typesSetting } from "../topology/server.ts";
import type { Limits } from "../config/schema.ts";
import type { Change } from "./changes.ts";
import { agreeTo, type Finding, refused } from "./findings.ts";
import { type Graph, unknown } from "./graph.ts";
import { types } from "./stateful.ts";

/** A server that Hetzner has to make, or to give another type. */
export interface Wanted {
  /** `app-3`. */
  readonly server: string;
  readonly location: string;
  /** Any of them will do; in order of preference. */
  readonly types: readonly string[];
  readonly why: "created" | "recreated" | "changed to another type";
  /** For an existing server that gets another type: what it is called at Hetzner, and the setting with its types. */
  readonly existing?: { readonly name: string; readonly type: string; readonly setting: string };
  /** What the existing server keeps, whatever its type. @default - Hetzner was not asked */
  readonly keeps?: TypeFacts;
}

/**
 * The servers that Hetzner has to make or change for an update.
 *
 * @param before the stack's state
 * @param changes of the update; none for a new stack
 */
export function wantedServers(servers: readonly Server[], before: Graph, changes: readonly Change[]): Wanted[] {
  const inState = (type: string, name: string) =>
    before.resources.find((one) => one.type === type && one.name === name)?.inputs;
  const replaced = new Set(
    changes.flatMap(({ action, resource }) =>
      action === "replace" && resource.type === types.server ? [resource.name] : [],
    ),
  );
  return servers.flatMap(({ name, role, location, types: allowed }): Wanted[] => {
    const wanted = { server: name, location, types: allowed };
    const server = inState(types.server, `${name}-server`);
    if (!server) return [{ ...wanted, why: "created" }];
    if (replaced.has(`${name}-server`)) return [{ ...wanted, why: "recreated" }];
    // The server's own input may be older than the last change of its type.
    const has = inState(types.serverType, `${name}-type`)?.["type"] ?? server["serverType"];
    if (typeof has !== "string" || has === unknown || allowed.includes(has)) return [];
    const existing = { name: String(server["name"]), type: has, setting: typesSetting[role] };
    return [{ ...wanted, why: "changed to another type", existing }];
  });
}

/**
 * Existing servers that can get none of the types of their list: Hetzner would refuse each of them when the server is powered off
 * already. A server keeps the disk that it was created with.
 *
 * @param servers disk and architecture of the servers, by their name at Hetzner
 */
export function unfit(
  wanted: readonly Wanted[],
  servers: ReadonlyMap<string, TypeFacts>,
  known: ServerTypes,
): Finding[] {
  return wanted.flatMap((one): Finding[] => {
    const { server: name, types: allowed, existing, why } = one;
    const server = servers.get(existing?.name ?? "");
    if (!existing || !server || withAbleTypes(one, servers, known).types.length > 0) return [];
    const have = allowed.map((type) => `${type} has ${known.get(type)?.diskGb} GB (${known.get(type)?.architecture})`);
    return [
      {
        severity: "refused",
        name,
        happens:
          `would be ${why}, but its disk has ${server.diskGb} GB (${server.architecture}), which it was created with and cannot ` +
          `be made smaller: ${have.join(", ")}`,
        instead: `leave ${existing.type} in ${existing.setting}, or name a type with ${server.diskGb} GB or more there`,
      },
    ];
  });
}

/** What is wanted, with those types alone that an existing server can get. */
export function withAbleTypes(wanted: Wanted, servers: ReadonlyMap<string, TypeFacts>, known: ServerTypes): Wanted {
  const server = servers.get(wanted.existing?.name ?? "");
  if (!server) return wanted;
  return { ...wanted, keeps: server, types: wanted.types.filter((type) => canGet(server, known.get(type))) };
}

/** Those that Hetzner does not offer at the moment, with what to change. */
export function soldOut(wanted: readonly Wanted[], known: ServerTypes): Finding[] {
  const isOffered = (type: string, location: string) => known.get(type)?.locations.has(location) === true;
  return wanted
    .filter(({ types: allowed, location }) => !allowed.some((type) => isOffered(type, location)))
    .map(({ server, location, types: allowed, why, keeps }): Finding => {
      const happens = `would be ${why}, but Hetzner has no ${allowed.join(" or ")} in ${location} at the moment`;
      const there = [...known]
        .filter(([, type]) => type.locations.has(location) && (!keeps || canGet(keeps, type)))
        .map(([name]) => name);
      const elsewhere = [...new Set(allowed.flatMap((type) => [...(known.get(type)?.locations ?? [])]))].sort();
      const instead = [
        there.length > 0
          ? `add a type that ${location} has (${there.sort().join(", ")}) to the server's types`
          : `wait until ${location} has servers again`,
        ...(elsewhere.length > 0 ? [`${elsewhere.join(" and ")} ${elsewhere.length > 1 ? "have" : "has"} it`] : []),
        `Hetzner's list may be wrong: to try anyway, ${agreeTo(server)}`,
      ].join("; ");
      return refused(server, happens, instead);
    });
}

/** Kinds of which an account has a limited number: as `orion:hetzner.limits` and as the account's needs name them. */
export const limited = {
  servers: { what: "servers", type: types.server, path: "servers" },
  primaryIps: { what: "primary IPs", type: types.primaryIp, path: "primary_ips" },
  volumes: { what: "Volumes", type: types.volume, path: "volumes" },
  loadBalancers: { what: "load balancers", type: types.loadBalancer, path: "load_balancers" },
} as const satisfies Readonly<Record<keyof Limits, Kind>>;

interface Kind {
  /** As the account's needs name it. */
  readonly what: string;
  /** Of the resource. */
  readonly type: string;
  /** In Hetzner's API. */
  readonly path: string;
}

export type LimitedKind = keyof typeof limited;
export const limitedKinds = Object.keys(limited) as readonly LimitedKind[];

/** How many of each kind an update adds. */
export const addedBy = (changes: readonly Change[], kind: LimitedKind): number =>
  changes.filter(({ action, resource }) => action === "create" && resource.type === limited[kind].type).length;

/**
 * The limits of the account that an update would reach half-way.
 *
 * @param exist how many of each kind the account's project has
 * @param limits what `orion:hetzner.limits` says that the account may have
 */
export function beyondLimits(
  changes: readonly Change[],
  exist: Readonly<Partial<Record<LimitedKind, number>>>,
  limits: Limits,
): Finding[] {
  return limitedKinds.flatMap((kind): Finding[] => {
    const [limit, has, adds] = [limits[kind], exist[kind] ?? 0, addedBy(changes, kind)];
    if (limit === undefined || adds === 0 || has + adds <= limit) return [];
    return [
      {
        severity: "refused",
        name: limited[kind].what,
        happens: `would be ${has + adds}, ${adds} of them new; orion:hetzner.limits.${kind} says that the account may have ${limit}`,
        instead: `have the limit raised in Hetzner's Console (Limits), then set orion:hetzner.limits.${kind} to what you get`,
      },
    ];
  });
}
