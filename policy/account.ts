/** What a stack needs of its account at Hetzner, and what a new account usually has. Pure. */
import { placementGroupSize } from "../topology/fleet.ts";
import type { Limits } from "../config/schema.ts";
import { limited, limitedKinds } from "./stock.ts";
import type { Topology } from "../topology/topology.ts";

export interface Need {
  /** `servers`, `primary IPs`. */
  readonly what: string;
  readonly count: number;
  /** What a new account or project usually has; null where no figure is public. */
  readonly usual: number | null;
  /** What this account has, by `orion:hetzner.limits`; null where the stack does not say. */
  readonly allowed: number | null;
}

/**
 * Hetzner publishes no list of limits and its API does not answer for them; the Console shows those of an account. 5 servers are
 * what new accounts report; 50 placement groups of ten servers, and 100 servers in a network are documented for every project.
 */
const usual = { servers: 5, placementGroups: 50, serversInNetwork: 100 } as const;

/** The counts that a plan needs at once. A move needs those of both of its sides, since it adds before it removes. */
export function accountNeeds(
  topologies: readonly Pick<Topology, "servers" | "loadBalancers">[],
  limits: Limits = {},
): Need[] {
  const names = (of: (topology: Pick<Topology, "servers" | "loadBalancers">) => readonly string[]) =>
    new Set(topologies.flatMap(of)).size;
  const servers = names(({ servers: all }) => all.map(({ name }) => name));
  const needs: Omit<Need, "allowed">[] = [
    { what: limited.servers.what, count: servers, usual: usual.servers },
    { what: limited.primaryIps.what, count: servers, usual: null },
    {
      what: limited.volumes.what,
      count: names(({ servers: all }) => all.flatMap(({ name, volumeGb }) => (volumeGb > 0 ? [name] : []))),
      usual: null,
    },
    {
      what: limited.loadBalancers.what,
      count: names(({ loadBalancers }) => loadBalancers.map(({ name }) => name)),
      usual: null,
    },
    {
      what: `placement groups (of ${placementGroupSize} servers)`,
      count: names(({ servers: all }) => all.map(({ placementGroup }) => placementGroup)),
      usual: usual.placementGroups,
    },
    ...(servers > usual.serversInNetwork
      ? [{ what: "servers in one network", count: servers, usual: usual.serversInNetwork }]
      : []),
  ];
  const allowed = new Map<string, number | undefined>(limitedKinds.map((kind) => [limited[kind].what, limits[kind]]));
  return needs.filter(({ count }) => count > 0).map((need) => ({ ...need, allowed: allowed.get(need.what) ?? null }));
}

/** Those that the account does not have; where the stack does not say what it has, those that a new one does not have. */
export const beyondAccount = (needs: readonly Need[]): Need[] =>
  needs.filter(({ count, usual: has, allowed }) => count > (allowed ?? has ?? Infinity));

/** Whose limit it is: `This account has 10 servers`. */
export const hasOf = ({ what, usual: has, allowed }: Need): string =>
  allowed === null
    ? `A new account has ${has ?? "fewer"} ${what}`
    : `This account has ${allowed} ${allowed === 1 ? what.replace(/s$/, "") : what} (orion:hetzner.limits)`;
