/** Rules of a server's packet filter: which ports the other servers may connect to over the private network. Pure. */
import { definitionOf } from "./catalogue.ts";
import { loopback } from "./planning.ts";
import { movingRoles } from "./clients.ts";
import { addressesAround, addressesOf } from "./fleet.ts";
import type { Server } from "./server.ts";
import type { Published, Service } from "./service.ts";
import type { Topology } from "./topology.ts";

/** A published port that other servers may connect to. */
export interface PeerRule {
  /** Private addresses of the others, from the first to the last. */
  readonly from: string;
  readonly port: number;
}

/** The ports that the services of a server publish to others than the server itself. */
export const publishedOn = ({ services }: Topology, { name }: Server): Published[] =>
  services
    .filter(({ server }) => server === name)
    .flatMap(({ published }) => published.filter(({ address }) => address !== loopback));

/** The rules of a server, from its services' `callers`: a port whose callers run on no other server, in no phase, has no rule. */
export function peersOf({ servers, services, loadBalancers }: Topology, server: Server): PeerRule[] {
  const portsOf = ({ published }: Service) =>
    published.flatMap(({ address, port }) => (address === server.privateAddress ? [port] : []));
  return services
    .filter((service) => service.server === server.name)
    .flatMap((service) => {
      const { callers } = definitionOf(service.kind);
      const calls = (other: Server) =>
        services.some(({ kind, server: at }) => at === other.name && callers.includes(kind));
      const others = servers.filter((other) => other.name !== server.name && calls(other));
      // The whole role's range: a server that is being drained keeps its access, and a new one changes no rule. A move that takes
      // all servers of a role away changes the rules before they are gone, and their apps still serve until then.
      const roles = movingRoles(callers.flatMap((one) => (one === "load-balancer" ? [] : [one])));
      const elsewhere = roles.filter((role) => role !== server.role);
      const from = [
        ...new Set([...others.map(addressesAround), ...elsewhere.map(addressesOf)]),
        ...(callers.includes("load-balancer") ? loadBalancers : []).map(({ privateAddress: one }) => `${one}-${one}`),
      ];
      return from.flatMap((range) => portsOf(service).map((port) => ({ from: range, port })));
    });
}
