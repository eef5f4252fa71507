/** The script of a server's own packet filter for the private network, which Hetzner's firewalls do not filter. Pure. */
import type { PeerRule } from "../../topology/peers.ts";
import { privateNetwork, type Server } from "../../topology/server.ts";

const chain = "ORION-PRIVATE";

/**
 * Each run replaces all rules: from the private network only the connections that a rule names reach the server. Connections
 * of its own containers to its own private address are not filtered: they do not come from the private network.
 */
export function firewallScript(server: Server, peers: readonly PeerRule[]): string {
  // Docker rewrites the destination of a published port before the filter; conntrack has the original one.
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
