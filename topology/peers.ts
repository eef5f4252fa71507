/** Which ports of a server the other servers may connect to over the private network. Pure. */
import { definitionOf } from "./catalogue.ts";
import { addressesAround } from "./fleet.ts";
import type { Server } from "./server.ts";
import type { Service } from "./service.ts";
import type { Topology } from "./topology.ts";

/** A published port that other servers may connect to. */
export interface PeerRule {
  /** Private addresses of the others, from the first to the last. */
  readonly from: string;
  readonly port: number;
}

/** The rules of a server, from what its services say of their callers: a port whose callers run nowhere else has none. */
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
      // A whole role: a server that is drained is let in to its end, and a new one changes no rule.
      const from = [
        ...new Set(others.map(addressesAround)),
        ...(callers.includes("load-balancer") ? loadBalancers : []).map(({ privateAddress: one }) => `${one}-${one}`),
      ];
      return from.flatMap((range) => portsOf(service).map((port) => ({ from: range, port })));
    });
}
