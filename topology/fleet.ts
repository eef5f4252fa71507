/** Plans the servers and load balancers of a stack: their names, locations and private addresses. Pure. */
import { runsOwnDatabase } from "../config/own-database.ts";
import { locations as allLocations, type Settings } from "../config/schema.ts";
import type { LoadBalancer, Server, ServerRole } from "./server.ts";

/** Servers that a placement group has room for. */
export const placementGroupSize = 10;

/** Roles whose servers are numbered in one sequence over all locations. */
type NumberedRole = Exclude<ServerRole, "app" | "worker">;

/** The last byte before a role's first address. A role has ten addresses; app and worker have ten in each location. */
const addressBase: Readonly<Record<ServerRole, number>> = {
  core: 10,
  db: 20,
  cache: 30,
  monitor: 80,
  app: 100,
  worker: 130,
};

const addressesOfRole = 10;

const address = (lastByte: number): string => `10.20.1.${lastByte}`;

/** The address range of a server's role, with room for servers added later: `10.20.1.101-10.20.1.130`. */
export function addressesAround({ privateAddress }: Pick<Server, "privateAddress">): string {
  const number = Number(privateAddress.split(".").at(-1));
  // By the address, not by the role: a promoted replica keeps the address that it had as a replica.
  const base = Object.values(addressBase).findLast((each) => each < number) ?? 0;
  const count = addressesOfRole * (base < addressBase.app ? 1 : allLocations.length);
  return `${address(base + 1)}-${address(base + count)}`;
}

/** The address range of the servers of a role. */
export const addressesOf = (role: ServerRole): string =>
  addressesAround({ privateAddress: address(addressBase[role] + 1) });

/** `core` or `db`, and the number. */
function partsOf(name: string): { readonly kind: "core" | "db"; readonly number: number } {
  const [kind, number] = name.split("-");
  return { kind: kind === "core" ? kind : "db", number: Number(number) };
}

const addressOf = (role: NumberedRole, number: number): string => address(addressBase[role] + number);

/** The server with the first replica of a primary. No number is used twice: a lost server keeps its name at Hetzner. */
export const replicaServerOf = (primary: string): string => `db-${partsOf(primary).number + 1}`;

/** The primary that a promoted server replaced; undefined for `core-1`, the first primary. */
export function formerPrimary(primary: string): { readonly name: string; readonly privateAddress: string } | undefined {
  const number = partsOf(primary).number - 1;
  if (number === 0) return undefined;
  const kind = number === 1 ? "core" : "db";
  return { name: `${kind}-${number}`, privateAddress: addressOf(kind, number) };
}

/** The name of the replica on a server; the service keeps it when it is promoted. */
export const replicaName = (server: string): string => `replica-${partsOf(server).number - 1}`;

/** Replicas, by the availability of the database. */
const replicasOf: Readonly<Record<Settings["database"]["availability"], number>> = {
  single: 0,
  replica: 1,
  patroni: 2,
};

/**
 * The servers of a stack. A later phase has every server of an earlier one, under the same name, at the same address and in
 * the same location: a move adds. `db-2` is numbered after `core-1`, because it becomes the core server when it is
 * promoted.
 */
export function planServers(settings: Settings): Server[] {
  const { hosting, hetzner, database, cache, monitoring, app, workers, edge } = settings;
  if (hosting === "local") return [];
  const numbered = (
    role: NumberedRole,
    number: number,
    types: readonly string[],
    more: Partial<Server> = {},
  ): Server => ({
    ...stateless(role, `${role}-${number}`, inTurn(hetzner.locations, number - 1), types, addressOf(role, number)),
    ...more,
  });

  const provisioned = runsOwnDatabase(database);
  const volumeGb = provisioned ? database.volumeGb : 0;
  const { kind, number } = partsOf(database.primary);
  const replicas = provisioned ? replicasOf[database.availability] : 0;
  const hasSentinel = cache.mode === "provision" && cache.availability === "sentinel";
  return [
    numbered(kind, number, database.servers, { role: "core", volumeGb, publicWeb: edge.balancing === "direct" }),
    ...Array.from({ length: replicas }, (_, index) =>
      numbered("db", number + 1 + index, database.servers, { volumeGb }),
    ),
    ...spread("app", app.servers, hetzner.locations),
    ...spread("worker", workers.enabled ? workers.servers : undefined, hetzner.locations),
    // Numbered after core-1, which has the first Redis.
    ...Array.from({ length: hasSentinel ? cache.replicas : 0 }, (_, index) =>
      numbered("cache", index + 2, cache.servers),
    ),
    ...(monitoring.enabled ? [numbered("monitor", 1, monitoring.servers)] : []),
  ];
}

/** Servers that hold data share the first stacks' group; Hetzner changes a server's group only while it is off. */
const groupOf = (role: ServerRole): string => (role === "core" || role === "db" ? "spread" : `spread-${role}`);

/** A server without data that visitors do not reach. */
const stateless = (
  role: ServerRole,
  name: string,
  location: string,
  types: readonly string[],
  privateAddress: string,
): Server => ({
  ...{ name, role, location, types, privateAddress, placementGroup: groupOf(role) },
  ...{ volumeGb: 0, publicWeb: false },
});

type Location = (typeof allLocations)[number];

/** The location of the server with that index, from 0, when servers are spread over the locations in turn. */
const inTurn = (locations: readonly Location[], index: number): Location =>
  locations[index % locations.length] ?? allLocations[0];

/**
 * Stateless servers, spread over the locations in turn. The name contains the location, and each location has its own numbers:
 * one server more or less creates or deletes one server and changes no other.
 */
function spread(
  role: "app" | "worker",
  pool: { readonly count: number; readonly types: readonly string[] } | undefined,
  locations: readonly Location[],
): Server[] {
  const { count, types } = pool ?? { count: 0, types: [] };
  return Array.from({ length: count }, (_, index): Server => {
    const location = inTurn(locations, index);
    const number = Math.floor(index / locations.length) + 1;
    const lastByte = addressBase[role] + addressesOfRole * allLocations.indexOf(location) + number;
    return stateless(role, `${role}-${location}-${number}`, location, types, address(lastByte));
  });
}

/**
 * The load balancers of a stack: none, one, or one for each location. Their addresses lie before those of the servers. Only the
 * first location is known by its place, since it cannot change: the order of the others changes no load balancer.
 */
export function planLoadBalancers({ hosting, edge, hetzner }: Settings): LoadBalancer[] {
  if (hosting === "local" || edge.balancing === "direct") return [];
  const locations = edge.balancing === "global" ? hetzner.locations : hetzner.locations.slice(0, 1);
  return locations.map((location, index) => ({
    name: `balancer-${location}`,
    location,
    privateAddress: address(index === 0 ? 5 : 6 + allLocations.indexOf(location)),
  }));
}
