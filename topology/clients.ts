/** The address ranges of a service's clients, for access rules such as pg_hba.conf. Pure. */
import { definitionOf } from "./catalogue.ts";
import { addressesAround, addressesOf } from "./fleet.ts";
import type { ServerRole } from "./server.ts";
import type { BaseService, ServiceKind } from "./service.ts";
import type { Topology } from "./topology.ts";

/** Where clients of a service are. */
export interface Clients {
  /** Whether one of them runs on the service's own machine, and so comes from its container network. */
  readonly beside: boolean;
  /** The address ranges of the other machines, in CIDR notation. */
  readonly ranges: readonly string[];
}

/** The roles whose servers may still run, or already run, services of these kinds while a move goes on, whichever phase is planned. */
export const movingRoles = (kinds: readonly ServiceKind[]): ServerRole[] => [
  ...new Set(kinds.flatMap((kind) => definitionOf(kind).movesTo)),
];

/**
 * Where the services of some kinds connect to a service from. The whole role's addresses: a server that is being drained keeps its
 * access, and a new one changes no rule. What a move takes to other servers is let in from both sides, whichever phase is planned:
 * the old instances serve until the new ones have taken over, in either direction.
 */
export function clientsOf(
  { servers, services }: Pick<Topology, "servers" | "services">,
  { server: own }: Pick<BaseService, "server">,
  kinds: readonly ServiceKind[],
): Clients {
  const places = new Set(services.filter(({ kind }) => kinds.includes(kind)).map(({ server }) => server));
  const others = servers.filter(({ name }) => name !== own && places.has(name));
  const roles = servers.length > 0 ? movingRoles(kinds) : [];
  const ranges = new Set([...roles.map(addressesOf), ...others.map(addressesAround)]);
  return { beside: places.has(own) || roles.length > 0, ranges: [...ranges].flatMap(cidrsOf) };
}

/** `10.20.1.101-10.20.1.130` in CIDR notation: the fewest blocks that have these addresses and no others. */
export function cidrsOf(range: string): string[] {
  const [first = 0, last = 0] = range.split("-").map(toNumber);
  const blocks: string[] = [];
  for (let at = first; at <= last;) {
    let size = 1;
    while (at % (size * 2) === 0 && at + size * 2 - 1 <= last) size *= 2;
    blocks.push(`${toAddress(at)}/${32 - Math.log2(size)}`);
    at += size;
  }
  return blocks;
}

const toNumber = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

const toAddress = (number: number): string =>
  [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".");
