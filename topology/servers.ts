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

/** The private addresses of a role, whether there are servers for them or not: `10.20.1.41-10.20.1.50`. */
export const addressesOf = (role: ServerRole): string =>
  `10.20.1.${addressBase[role] + 1}-10.20.1.${addressBase[role] + serversOfRole}`;

/**
 * The servers of a phase. A later phase has every server of an earlier one, under the same name and address: a move adds.
 * Numbers go on across roles where one machine takes over another's part: `db-2` stands beside `core-1`, which is the first.
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
    privateAddress: `10.20.1.${addressBase[role] + number}`,
    volumeGb: 0,
    publicWeb: false,
    ...more,
  });
  const several = (role: ServerRole, pool: { count: number; types: string[] } | undefined): Server[] =>
    Array.from({ length: pool?.count ?? 0 }, (_, index) =>
      server(role, index + 1, spread(index), { types: pool?.types ?? database.servers }),
    );

  const servers = [server("core", 1, 0, { volumeGb: provisioned ? database.volumeGb : 0, publicWeb: phase === "mvp" })];
  if (phase === "mvp") return servers;
  if (provisioned) {
    for (let replica = 1; replica <= database.replicas; replica++) {
      servers.push(server("db", replica + 1, replica, { volumeGb: database.volumeGb }));
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
