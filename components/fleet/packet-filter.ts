/** The packet filter inside a server: Hetzner's firewalls do not look at the private network. Pure. */
import { addressesAround } from "../../topology/servers.ts";
import { privateNetwork, type Server, type Service, type ServiceKind, type Topology } from "../../topology/types.ts";

/** A published port that another server may reach over the private network. */
export interface PeerRule {
  /** Private addresses of the others, from the first to the last. */
  readonly from: string;
  readonly port: number;
}

const chain = "ORION-PRIVATE";

/**
 * A script that sets the rules anew whenever it runs: from the private network nothing reaches the server but what a
 * rule names. Connections of its own containers to its own private address do not come from there.
 */
export function firewallScript(server: Server, peers: readonly PeerRule[]): string {
  // Docker rewrites the destination of a published port before anything is filtered; the connection knows what it was.
  const from = (port: PeerRule) =>
    `-p tcp -m iprange --src-range ${port.from} -m conntrack --ctorigdstport ${port.port} -j RETURN`;
  const match = `-s ${privateNetwork.range} -m conntrack --ctstate NEW --ctorigdst ${server.privateAddress} -j ${chain}`;
  return `#!/bin/sh
set -eu
iptables -w -N ${chain} 2>/dev/null || iptables -w -F ${chain}
${peers.map((peer) => `iptables -w -A ${chain} ${from(peer)}\n`).join("")}iptables -w -A ${chain} -p icmp -j RETURN
iptables -w -A ${chain} -j DROP
for hook in INPUT DOCKER-USER; do
  iptables -w -N DOCKER-USER 2>/dev/null || true
  iptables -w -C "$hook" ${match} 2>/dev/null || iptables -w -I "$hook" 1 ${match}
done
`;
}

const platform: readonly ServiceKind[] = ["app", "worker", "beat", "flower", "release", "pgbouncer"];

/** Who calls a service of a kind. One that is not listed is called from every server. */
const callers: Partial<Record<ServiceKind, readonly ServiceKind[]>> = {
  database: [...platform, "replica", "backup"],
  replica: [...platform, "replica", "backup"],
  cache: [...platform, "cache-replica", "sentinel"],
  broker: [...platform, "cache-replica", "sentinel"],
  // The load balancers alone.
  edge: [],
};

/** What others may reach on a server over the private network; a phase with one server has no such thing. */
export function peersOf({ servers, services, loadBalancers }: Topology, server: Server): PeerRule[] {
  const ports = ({ published }: Service) =>
    published.flatMap(({ address, port }) => (address === server.privateAddress ? [port] : []));
  const mayCall = (kind: ServiceKind, caller: Server) => {
    const kinds = callers[kind];
    return kinds === undefined || services.some((one) => one.server === caller.name && kinds.includes(one.kind));
  };
  return services
    .filter((service) => service.server === server.name)
    .flatMap((service) => {
      const others = servers.filter((other) => other.name !== server.name && mayCall(service.kind, other));
      // A whole role: a server of it that goes is let in until it has ended its work, and one that comes changes nothing.
      const from = [
        ...new Set(others.map(addressesAround)),
        ...(service.kind === "edge" ? loadBalancers : []).map(({ privateAddress: one }) => `${one}-${one}`),
      ];
      return from.flatMap((range) => ports(service).map((port) => ({ from: range, port })));
    });
}
