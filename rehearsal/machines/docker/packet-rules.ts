/** Generates a cloud's packet filter rules as input for iptables-restore. Pure. */
import { cloudflareRanges } from "../../../common/cloudflare-ranges.ts";
import { contains, rangeOf } from "../../hetzner/addresses.ts";
import type { FirewallRule } from "../machines.ts";
import type { Naming } from "./naming.ts";

/** A server or load balancer with its public address. */
export interface Exposed {
  readonly id: number;
  readonly kind: "server" | "balancer";
  readonly address: string;
  /** Firewall rules; undefined: no firewall, everything is open. */
  readonly rules: readonly FirewallRule[] | undefined;
}

/** One of the cloud's own services, on this machine. */
export interface CloudService {
  /** Loopback address. */
  readonly address: string;
  /** Address at which servers reach it. @default the one that `Naming.fromServer` makes of the loopback address */
  readonly as?: string;
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
}

/** An address that Cloudflare publishes; servers see it as the source of connections from the edge. */
const cloudflareSource = "173.245.48.1";
/** An address of the documentation range; servers see it as the source of connections from this machine, as if from the Internet. */
export const internetSource = "203.0.113.1";

export const hooks = (names: Naming) =>
  [
    ["nat", "OUTPUT", names.chain("NOUT")],
    ["nat", "PREROUTING", names.chain("NPRE")],
    ["nat", "POSTROUTING", names.chain("NPOST")],
    ["filter", "OUTPUT", names.chain("OUT")],
    ["filter", "INPUT", names.chain("IN")],
    ["filter", "DOCKER-USER", names.chain("FWD")],
  ] as const;

const serverChain = (names: Naming, { id }: Exposed): string => names.chain(`S${id}`);

/** All chains that the rules use. */
export const chainsOf = (names: Naming, exposed: readonly Exposed[]): string[] => [
  ...hooks(names).map(([, , chain]) => chain),
  ...exposed.filter(({ kind }) => kind === "server").map((one) => serverChain(names, one)),
];

/**
 * Generates all rules of a cloud.
 *
 * @param services the cloud's own services, which servers may reach
 * @param stale chains of deleted servers, which are removed
 */
export function packetRules(
  names: Naming,
  exposed: readonly Exposed[],
  services: readonly CloudService[],
  stale: readonly string[],
): string {
  const [nat, filter] = [new Table("nat"), new Table("filter")];
  for (const [table, , chain] of hooks(names)) (table === "nat" ? nat : filter).chain(chain);
  const [publicBridges, privateBridges] = [`${names.publicBridges}+`, `${names.privateBridges}+`];
  const established = "-m conntrack --ctstate ESTABLISHED,RELATED";

  for (const { address } of exposed) {
    nat.rule(names.chain("NOUT"), `-d ${address}/32 -j DNAT --to-destination ${names.behind(address).host}`);
  }
  for (const { address, as = names.fromServer(address) } of services) {
    const target = `-d ${as}/32 -j DNAT --to-destination ${address}`;
    nat.rule(names.chain("NPRE"), `-i ${publicBridges} ${target}`);
  }
  const snat = (source: string, to: string) => `-s ${source} -o ${publicBridges} -j SNAT --to-source ${to}`;
  nat.rule(names.chain("NPOST"), snat(names.cloudRange, cloudflareSource));
  nat.rule(names.chain("NPOST"), snat("127.0.0.0/8", internetSource));
  // Services of others see which server asks, as they do on the Internet; Docker would give all of them one address.
  nat.rule(names.chain("NPOST"), `-s ${names.serverRange} -o ${names.internetBridge} -j ACCEPT`);

  // From a server to this machine: only the ports of the cloud's own services. Otherwise programs that listen on all addresses would answer there as well.
  filter.rule(names.chain("IN"), `-i ${publicBridges} ${established} -j ACCEPT`);
  for (const { address, tcp, udp } of services) {
    for (const [protocol, ports] of Object.entries({ tcp, udp })) {
      const match = `-p ${protocol} -m multiport --dports ${ports.join(",")}`;
      if (ports.length > 0) filter.rule(names.chain("IN"), `-i ${publicBridges} -d ${address}/32 ${match} -j ACCEPT`);
    }
  }
  filter.rule(names.chain("IN"), `-i ${publicBridges} -j DROP`);
  filter.rule(names.chain("IN"), `-i ${privateBridges} -j DROP`);
  filter.rule(names.chain("IN"), `-i ${names.internetBridge} ${established} -j ACCEPT`);
  filter.rule(names.chain("IN"), `-i ${names.internetBridge} -j DROP`);
  // This machine has no access to private networks, although its bridges carry them.
  filter.rule(names.chain("OUT"), `-o ${privateBridges} -j DROP`);

  // Containers on the cloud's Internet answer servers, and open connections to each other only: a pooler has a database behind it.
  for (const one of exposed.filter(({ kind }) => kind === "server")) {
    const from = `-s ${names.behind(one.address).subnet} -o ${names.internetBridge}`;
    for (const match of outbound(one.rules)) filter.rule(names.chain("FWD"), `${from}${match} -j ACCEPT`);
  }
  filter.rule(names.chain("FWD"), `-i ${names.internetBridge} -o ${publicBridges} ${established} -j ACCEPT`);
  filter.rule(names.chain("FWD"), `-i ${names.internetBridge} -o ${names.internetBridge} -j ACCEPT`);
  filter.rule(names.chain("FWD"), `-i ${names.internetBridge} -j DROP`);
  // A rehearsal of production must reach nobody else: its e-mails, payments and webhooks end here, also those to an address.
  filter.rule(names.chain("FWD"), `-i ${publicBridges} ! -o ${publicBridges} -j DROP`);
  filter.rule(names.chain("FWD"), `-i ${privateBridges} ! -o ${privateBridges} -j DROP`);
  // Allow everything within a private network, because hosts may filter bridged packets by Docker's own range.
  filter.rule(names.chain("FWD"), `-i ${privateBridges} -o ${privateBridges} -j ACCEPT`);

  const balancers = exposed.filter(({ kind }) => kind === "balancer");
  for (const one of exposed.filter(({ kind }) => kind === "server")) {
    const chain = serverChain(names, one);
    const { subnet } = names.behind(one.address);
    filter.chain(chain);
    filter.rule(chain, `${established} -j ACCEPT`);
    for (const rule of inbound(names, one.rules)) filter.rule(chain, `${rule} -j ACCEPT`);
    filter.rule(chain, "-j DROP");
    filter.rule(names.chain("OUT"), `-d ${subnet} -j ${chain}`);
    for (const { address } of balancers) {
      filter.rule(names.chain("FWD"), `-s ${names.behind(address).subnet} -d ${subnet} -j ${chain}`);
      // Replies: Docker isolates its networks from each other.
      filter.rule(names.chain("FWD"), `-s ${subnet} -d ${names.behind(address).subnet} ${established} -j ACCEPT`);
    }
    const allowed = outbound(one.rules);
    if (allowed.includes(everything)) continue;
    for (const match of [` ${established}`, ...allowed])
      filter.rule(names.chain("FWD"), `-s ${subnet}${match} -j RETURN`);
    filter.rule(names.chain("FWD"), `-s ${subnet} -j DROP`);
  }
  return nat.text([]) + filter.text(stale);
}

class Table {
  readonly #name: string;
  readonly #chains: string[] = [];
  readonly #rules: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }
  /** Declares a chain, which also empties it. */
  chain(name: string): void {
    this.#chains.push(name);
  }
  rule(chain: string, rule: string): void {
    this.#rules.push(`-A ${chain} ${rule}`);
  }
  text(stale: readonly string[]): string {
    const chains = [...this.#chains, ...stale].map((name) => `:${name} - [0:0]`);
    const gone = stale.map((name) => `-X ${name}`);
    return [`*${this.#name}`, ...chains, ...this.#rules, ...gone, "COMMIT", ""].join("\n");
  }
}

/** Matches for allowed inbound packets; without a firewall all. */
function inbound(names: Naming, rules: readonly FirewallRule[] | undefined): string[] {
  if (rules === undefined) return [""];
  return rules
    .filter(({ direction }) => direction === "in")
    .flatMap((rule) => sourcesOf(names, rule.addresses).map((source) => `-s ${source} ${matchOf(rule)}`));
}

/** The match that every packet has. */
const everything = "";

/** Matches for allowed outbound packets: everything is allowed unless there are outbound rules. */
function outbound(rules: readonly FirewallRule[] = []): string[] {
  const out = rules.filter(({ direction }) => direction === "out");
  if (out.length === 0) return [everything];
  return out.flatMap((rule) => rule.addresses.filter(isIpv4).map((to) => ` -d ${to} ${matchOf(rule)}`));
}

const matchOf = ({ protocol, port }: FirewallRule): string =>
  port === undefined ? `-p ${protocol}` : `-p ${protocol} --dport ${port.replace("-", ":")}`;

const isIpv4 = (address: string): boolean => rangeOf(address) !== undefined;

/**
 * Translates rule sources to addresses that the host's packet filter sees: Cloudflare's ranges become the edge's address, and
 * a range that contains `internetSource` also matches loopback, before address translation. IPv6 is not routed here.
 */
function sourcesOf(names: Naming, addresses: readonly string[]): string[] {
  const published = new Set<string>(cloudflareRanges.ipv4);
  const internet = rangeOf(`${internetSource}/32`);
  const sources = addresses.flatMap((address) => {
    const range = rangeOf(address);
    if (!range) return [];
    if (published.has(address)) return [names.cloudRange];
    // 0.0.0.0/0 matches loopback anyway.
    return internet && range.bits > 0 && contains(range, internet) ? [address, "127.0.0.1/32"] : [address];
  });
  return [...new Set(sources)];
}
