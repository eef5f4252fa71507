/**
 * The script of a server's own packet filter, which judges what Hetzner's firewalls do not see: the private network, and the
 * server's own containers. Pure.
 */
import type { PeerRule } from "../../topology/peers.ts";
import { privateNetwork, type Server } from "../../topology/server.ts";
import type { Published } from "../../topology/service.ts";

/** Name of the network interface of the container network `edge`, on every server. */
export const edgeInterface = "orion-edge";

export interface PacketFilter {
  readonly server: Server;
  /** Rules that admit other servers. */
  readonly peers: readonly PeerRule[];
  /** The ports that the server's services publish. */
  readonly published: readonly Published[];
}

/** Addresses that only the machine itself may ask, above all the provider's metadata with the server's user data. */
const linkLocal = "169.254.0.0/16";
const everyAddress = "0.0.0.0";

/**
 * A packet is judged when it arrives, before Docker changes its destination: by the address that it was sent to and the
 * interface that it came through. So it does not matter which ports Docker publishes, or whether Docker runs already.
 *
 * All rules are replaced in one step, also those of the version before.
 */
export const firewallScript = (filter: PacketFilter): string => `#!/bin/sh
set -eu
iptables-restore --noflush --wait 10 <<'RULES'
*mangle
:ORION-CONTAINERS - [0:0]
:ORION-ARRIVING - [0:0]
${fromContainers(filter)
  .map((rule) => `-A ORION-CONTAINERS ${rule}\n`)
  .join("")}${arriving(filter)
  .map((rule) => `-A ORION-ARRIVING ${rule}\n`)
  .join("")}COMMIT
*filter
:ORION-LEAVING - [0:0]
:ORION-BETWEEN - [0:0]
-A ORION-LEAVING -d ${linkLocal} -m owner ! --uid-owner 0 -j REJECT
${betweenNetworks.map((rule) => `-A ORION-BETWEEN ${rule}\n`).join("")}COMMIT
RULES
hook() {
  "$1" -w 10 -t "$2" -C "$3" -j "$4" 2>/dev/null || "$1" -w 10 -t "$2" -I "$3" 1 -j "$4"
}
hook iptables mangle PREROUTING ORION-ARRIVING
hook iptables filter OUTPUT ORION-LEAVING
# Docker asks this chain before its own, and keeps what is in it.
iptables -w 10 -N DOCKER-USER 2>/dev/null || true
hook iptables filter DOCKER-USER ORION-BETWEEN
if [ -e /proc/net/if_inet6 ]; then
  ip6tables-restore --noflush --wait 10 <<'RULES'
*filter
:ORION-ARRIVING - [0:0]
${arrivingOverIpv6.map((rule) => `-A ORION-ARRIVING ${rule}\n`).join("")}COMMIT
RULES
  hook ip6tables filter INPUT ORION-ARRIVING
  hook ip6tables filter FORWARD ORION-ARRIVING
fi
# What the version before has left.
for chain in INPUT DOCKER-USER; do
  iptables -w 10 -S "$chain" | sed -n 's/^-A \\(.* -j ORION-PRIVATE\\)$/-D \\1/p' | while read -r rule; do
    iptables -w 10 $rule
  done
done
iptables -w 10 -F ORION-PRIVATE 2>/dev/null && iptables -w 10 -X ORION-PRIVATE || true
`;

const answers = "-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN";
const toThisServer = "-m addrtype --dst-type LOCAL";

/** Packets from other machines. */
function arriving({ server: { privateAddress }, peers }: PacketFilter): string[] {
  return [
    "-i lo -j RETURN",
    answers,
    ...["docker+", "br-+", edgeInterface].map((bridge) => `-i ${bridge} -g ORION-CONTAINERS`),
    // Answers to a machine that has no address yet.
    "-p udp -m udp --sport 67 --dport 68 -j RETURN",
    // Packets that another machine routes through this server: to a container, a bridge's address, or an address of another interface.
    "-m addrtype ! --dst-type LOCAL --limit-iface-in -j DROP",
    `-d ${privateAddress} -p icmp -j RETURN`,
    ...peers.map(
      ({ from, port }) => `-d ${privateAddress} -p tcp -m iprange --src-range ${from} -m tcp --dport ${port} -j RETURN`,
    ),
    `-d ${privateAddress} -j DROP`,
    `-s ${privateNetwork.range} -j DROP`,
  ];
}

/** Packets from containers, which are judged by these rules alone (`-g`): what services publish, and other machines; not the server's own services, such as sshd. */
function fromContainers({ server: { privateAddress }, published }: PacketFilter): string[] {
  const ports = published.flatMap(({ address, port }) => {
    if (address === everyAddress) return [`${toThisServer} -p tcp -m tcp --dport ${port}`];
    return address === privateAddress ? [`-d ${privateAddress} -p tcp -m tcp --dport ${port}`] : [];
  });
  return [
    `-d ${linkLocal} -j DROP`,
    // nginx needs the apps beside it and nothing else of the stack.
    `-i ${edgeInterface} ${toThisServer} -j DROP`,
    `-i ${edgeInterface} -d ${privateNetwork.range} -j DROP`,
    ...[...new Set(ports)].map((port) => `${port} -j RETURN`),
    `${toThisServer} -p icmp -j RETURN`,
    `${toThisServer} -j DROP`,
    "-j RETURN",
  ];
}

/** Docker separates its networks; an app that asks for its own public address still has to reach the edge's published port. */
const betweenNetworks: readonly string[] = [
  `-i br-+ -o ${edgeInterface} -m conntrack --ctstate DNAT --ctdir ORIGINAL -j ACCEPT`,
  `-i ${edgeInterface} -o br-+ -m conntrack --ctstate DNAT --ctdir REPLY -j ACCEPT`,
];

/** Servers have no public IPv6 address, but every interface has one that its neighbours can reach. */
const arrivingOverIpv6: readonly string[] = ["-i lo -j RETURN", answers, "-p ipv6-icmp -j RETURN", "-j DROP"];
