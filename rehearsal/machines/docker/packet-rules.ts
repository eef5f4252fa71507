/** Packet filter rules of a cloud, as iptables-restore reads them. Pure. */
import { cloudflareRanges } from "../../../config/cloudflare-ranges.ts";
import { contains, rangeOf } from "../../hetzner/addresses.ts";
import type { FirewallRule } from "../machines.ts";
import type { Names } from "./names.ts";

/** What stands behind a public address. */
export interface Exposed {
  readonly id: number;
  readonly kind: "server" | "balancer";
  readonly address: string;
  /** undefined: no firewall, everything is open. */
  readonly rules: readonly FirewallRule[] | undefined;
}

/** An address that Cloudflare publishes: what comes from the edge is seen as coming from there. */
const cloudflareSource = "173.245.48.1";
/** Of the range for documentation: what comes from this machine is seen as coming from somewhere on the Internet. */
export const internetSource = "203.0.113.1";

export const hooks = (names: Names) =>
  [
    ["nat", "OUTPUT", names.chain("NOUT")],
    ["nat", "PREROUTING", names.chain("NPRE")],
    ["nat", "POSTROUTING", names.chain("NPOST")],
    ["filter", "OUTPUT", names.chain("OUT")],
    ["filter", "INPUT", names.chain("IN")],
    ["filter", "DOCKER-USER", names.chain("FWD")],
  ] as const;

const serverChain = (names: Names, { id }: Exposed): string => names.chain(`S${id}`);

/** Every chain that the rules use. */
export const chainsOf = (names: Names, exposed: readonly Exposed[]): string[] => [
  ...hooks(names).map(([, , chain]) => chain),
  ...exposed.filter(({ kind }) => kind === "server").map((one) => serverChain(names, one)),
];

/**
 * The whole of a cloud's rules.
 *
 * @param cloudAddresses addresses of the cloud itself that servers may reach
 * @param stale chains of servers that are gone
 */
export function packetRules(
  names: Names,
  exposed: readonly Exposed[],
  cloudAddresses: readonly string[],
  stale: readonly string[],
): string {
  const [nat, filter] = [new Table("nat"), new Table("filter")];
  for (const [table, , chain] of hooks(names)) (table === "nat" ? nat : filter).chain(chain);
  const [publicBridges, privateBridges] = [`${names.publicBridges}+`, `${names.privateBridges}+`];
  const established = "-m conntrack --ctstate ESTABLISHED,RELATED";

  for (const { address } of exposed) {
    nat.rule(names.chain("NOUT"), `-d ${address}/32 -j DNAT --to-destination ${names.behind(address).host}`);
  }
  for (const address of cloudAddresses) {
    const target = `-d ${names.fromServer(address)}/32 -j DNAT --to-destination ${address}`;
    nat.rule(names.chain("NPRE"), `-i ${publicBridges} ${target}`);
  }
  const snat = (source: string, to: string) => `-s ${source} -o ${publicBridges} -j SNAT --to-source ${to}`;
  nat.rule(names.chain("NPOST"), snat(names.cloudRange, cloudflareSource));
  nat.rule(names.chain("NPOST"), snat("127.0.0.0/8", internetSource));

  // From a server to this machine: nothing but the cloud itself.
  filter.rule(names.chain("IN"), `-i ${publicBridges} ${established} -j ACCEPT`);
  filter.rule(names.chain("IN"), `-i ${publicBridges} -d ${names.cloudRange} -j ACCEPT`);
  filter.rule(names.chain("IN"), `-i ${publicBridges} -j DROP`);
  filter.rule(names.chain("IN"), `-i ${privateBridges} -j DROP`);
  // This machine is in no private network, although its bridges carry them.
  filter.rule(names.chain("OUT"), `-o ${privateBridges} -j DROP`);

  // Within a private network everything passes, whatever range Docker takes it for: hosts may filter bridged packets, too.
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
      // The answers: Docker would keep the two networks apart.
      filter.rule(names.chain("FWD"), `-s ${subnet} -d ${names.behind(address).subnet} ${established} -j ACCEPT`);
    }
    for (const rule of outbound(one.rules)) filter.rule(names.chain("FWD"), `-s ${subnet} ${rule}`);
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
  /** To name a chain is to empty it. */
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

/** Matches of what may come in; without a firewall everything. */
function inbound(names: Names, rules: readonly FirewallRule[] | undefined): string[] {
  if (rules === undefined) return [""];
  return rules
    .filter(({ direction }) => direction === "in")
    .flatMap((rule) => sourcesOf(names, rule.addresses).map((source) => `-s ${source} ${matchOf(rule)}`));
}

/** What may go out: everything, until a rule names something. */
function outbound(rules: readonly FirewallRule[] = []): string[] {
  const out = rules.filter(({ direction }) => direction === "out");
  if (out.length === 0) return [];
  const allowed = out.flatMap((rule) =>
    rule.addresses.filter(isIpv4).map((destination) => `-d ${destination} ${matchOf(rule)} -j RETURN`),
  );
  return ["-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN", ...allowed, "-j DROP"];
}

const matchOf = ({ protocol, port }: FirewallRule): string =>
  port === undefined ? `-p ${protocol}` : `-p ${protocol} --dport ${port.replace("-", ":")}`;

const isIpv4 = (address: string): boolean => rangeOf(address) !== undefined;

/**
 * Sources as this machine sees them: an address of Cloudflare's is the edge, and the one that servers see of this machine
 * is loopback, as long as a packet has not left it. IPv6 is not routed here.
 */
function sourcesOf(names: Names, addresses: readonly string[]): string[] {
  const published = new Set<string>(cloudflareRanges.ipv4);
  const internet = rangeOf(`${internetSource}/32`);
  const sources = addresses.flatMap((address) => {
    const range = rangeOf(address);
    if (!range) return [];
    if (published.has(address)) return [names.cloudRange];
    // A range of everything needs no translation.
    return internet && range.bits > 0 && contains(range, internet) ? [address, "127.0.0.1/32"] : [address];
  });
  return [...new Set(sources)];
}
