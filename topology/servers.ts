/** Which servers a phase has, where they stand and which private address each keeps for ever. */
import { type Settings } from "../config/schema.ts";
import { type LoadBalancer, type Server, type ServerRole } from "./types.ts";

const serversOfRole = 10;
/** The last byte before the first address of each role; none grows so far that it meets the next. */
const addressBase: Readonly<Record<ServerRole, number>> = {
  core: 10,
  db: 20,
  cache: 30,
  app: 40,
  worker: 60,
  monitor: 80,
};

/** The private addresses of a server and all that may come or have been beside it: `10.20.1.41-10.20.1.50`. */
export function addressesAround({ privateAddress }: Pick<Server, "privateAddress">): string {
  const number = Number(privateAddress.split(".").at(-1));
  // Of its name, not of its role: a primary's successor keeps the address that it had as its replica.
  const base = Object.values(addressBase).findLast((each) => each < number) ?? 0;
  return `10.20.1.${base + 1}-10.20.1.${base + serversOfRole}`;
}

/** `core` or `db`, and the number. */
function partsOf(name: string): { readonly kind: "core" | "db"; readonly number: number } {
  const [kind, number] = name.split("-");
  return { kind: kind === "core" ? kind : "db", number: Number(number) };
}

const addressOf = (kind: ServerRole, number: number): string => `10.20.1.${addressBase[kind] + number}`;

/**
 * The server with the first replica of a primary. Numbers go on and none comes again: a server that was lost is still at
 * Hetzner, under its name.
 */
export const replicaServerOf = (primary: string): string => `db-${partsOf(primary).number + 1}`;

/** The primary in whose place one has come; undefined for `core-1`, which was the first. */
export function formerPrimary(primary: string): { readonly name: string; readonly privateAddress: string } | undefined {
  const number = partsOf(primary).number - 1;
  if (number === 0) return undefined;
  const kind = number === 1 ? "core" : "db";
  return { name: `${kind}-${number}`, privateAddress: addressOf(kind, number) };
}

/** The name of a server's replica, which it keeps as the primary. */
export const replicaName = (server: string): string => `replica-${partsOf(server).number - 1}`;

/**
 * The servers of a phase. A later phase has every server of an earlier one, under the same name and address: a move adds.
 * Numbers go on across roles where one machine takes over another's part: `db-2` stands beside `core-1`, which is the first,
 * and is the core itself, under its name, once it has been put in its place.
 */
export function planServers(settings: Settings): Server[] {
  const { phase, hetzner, database, app, workers } = settings;
  if (phase === "development") return [];
  const locationOf = (index: number): string => hetzner.locations[index % hetzner.locations.length] ?? "fsn1";
  // What holds data stands in the same location in every phase, since neither it nor its Volume can be moved.
  const spread = (index: number): number => (phase === "ha" ? index : 0);
  const provisioned = database.mode === "provision";
  const server = (role: ServerRole, number: number, index: number, more: Partial<Server> = {}): Server => ({
    name: `${role}-${number}`,
    role,
    location: locationOf(index),
    types: database.servers,
    privateAddress: addressOf(role, number),
    volumeGb: 0,
    publicWeb: false,
    ...more,
  });
  const several = (role: ServerRole, pool: { count: number; types: string[] } | undefined): Server[] =>
    Array.from({ length: pool?.count ?? 0 }, (_, index) =>
      server(role, index + 1, spread(index), { types: pool?.types ?? database.servers }),
    );

  const volumeGb = provisioned ? database.volumeGb : 0;
  const { kind, number: first } = partsOf(database.primary);
  const servers = [server(kind, first, first - 1, { role: "core", volumeGb, publicWeb: phase === "mvp" })];
  if (phase === "mvp") return servers;
  if (provisioned) {
    for (let number = first + 1; number <= first + database.replicas; number++) {
      servers.push(server("db", number, number - 1, { volumeGb }));
    }
  }
  servers.push(...several("app", app.servers), ...several("worker", workers.servers));
  if (phase === "scale") return servers;
  if (settings.cache.mode === "provision") {
    servers.push(
      server("cache", 2, 1, { types: ["cpx12", "cx23"] }),
      server("cache", 3, 2, { types: ["cpx12", "cx23"] }),
    );
  }
  servers.push(server("monitor", 1, 0, { types: ["cpx32", "cx33"] }));
  return servers;
}

/** The load balancers of a phase: one for each location that has apps. Their addresses lie before those of the servers. */
export function planLoadBalancers({ phase, hetzner }: Settings): LoadBalancer[] {
  if (phase === "development" || phase === "mvp") return [];
  const locations = phase === "ha" ? hetzner.locations : hetzner.locations.slice(0, 1);
  return locations.map((location, index) => ({
    name: `balancer-${index + 1}`,
    location,
    privateAddress: `10.20.1.${5 + index}`,
  }));
}
