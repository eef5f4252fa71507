/** Which addresses are taken, and the next free one: public, of IPv6 ranges, and in private networks. */
import { isHostOf, nextFree, overlaps, rangeOf } from "./addresses.ts";
import { HetznerError } from "./errors.ts";
import type { HetznerStore, Network } from "./state.ts";

/** Where the IPv6 ranges of a kind begin: the second octet of a block is below 256. */
const ranges6 = { primary_ip: 0, floating_ip: 0x100, load_balancer: 0x200 } as const;

export class AddressBook {
  readonly #store: HetznerStore;
  readonly #block: number;
  /** Addresses that machines are about to lose; those in networks as `<network>/<address>`. */
  readonly #held = new Set<string>();

  /** @param block second octet of the addresses on loopback */
  constructor(store: HetznerStore, block: number) {
    this.#store = store;
    this.#block = block;
  }

  /** Keeps addresses, which nobody has any more, from others until the returned function is called. */
  hold(addresses: readonly string[]): () => void {
    for (const one of addresses) this.#held.add(one);
    return () => {
      for (const one of addresses) this.#held.delete(one);
    };
  }

  /** A public address on loopback that nobody has. */
  freeAddress(): string {
    const taken = new Set([
      ...this.#held,
      ...this.#store.list("hetzner.primary_ip").map(({ ip }) => ip),
      ...this.#store.list("hetzner.floating_ip").map(({ ip }) => ip),
      ...this.#store.list("hetzner.load_balancer").map(({ ip }) => ip),
    ]);
    // The upper half is the edge's; .1 to .3 stay free of servers, so that a typing error hits none.
    for (let n = 4; n < 127 * 256; n++) {
      const address = `127.${this.#block}.${Math.floor(n / 254)}.${(n % 254) + 1}`;
      if (!taken.has(address)) return address;
    }
    throw new HetznerError(412, "resource_unavailable", "no public address is left");
  }

  /** Addresses of documentation space, which the rehearsal serves nowhere; a /64 for each id of each kind. */
  freeRange6(kind: keyof typeof ranges6, id: number): string {
    return `2001:db8:${(ranges6[kind] + this.#block).toString(16)}:${id.toString(16)}::/64`;
  }

  /**
   * The wanted private address, or the next free one of a subnet in the network zone.
   *
   * @param range the subnet to take it from; undefined: any
   * @param others addresses that are about to be taken, too
   */
  privateAddress(
    { id, subnets }: Network,
    wanted: string | undefined,
    zone: string,
    range?: string,
    others: readonly string[] = [],
  ): string {
    const taken = new Set([...this.#takenIn(id), ...others]);
    const usable = subnets.filter((one) => one.zone === zone && (range === undefined || one.range === range));
    if (usable.length === 0) {
      throw new HetznerError(422, "no_subnet_available", `the network has no subnet in the network zone ${zone}`);
    }
    if (wanted !== undefined) {
      const fits = usable.some((one) => isHostOf(one.range, wanted));
      if (!fits || taken.has(wanted)) {
        throw new HetznerError(422, "ip_not_available", `the IP ${wanted} is not available`);
      }
      return wanted;
    }
    // Whoever asks for an address gets it once nobody has it; who asks for any gets one that no machine is yet to lose.
    const held = [...this.#held].flatMap((one) => (one.startsWith(`${id}/`) ? [one.split("/")[1] ?? ""] : []));
    const unheld = new Set([...taken, ...held]);
    for (const one of usable) {
      const free = nextFree(one.range, unheld) ?? nextFree(one.range, taken);
      if (free !== undefined) return free;
    }
    throw new HetznerError(422, "no_subnet_available", "no address of the network is left");
  }

  /** Every address that somebody has in a network. */
  #takenIn(network: number): string[] {
    const servers = this.#store.list("hetzner.server").flatMap(({ networks }) => networks);
    const ofServers = servers.filter((one) => one.network === network).flatMap(({ ip, aliasIps }) => [ip, ...aliasIps]);
    const balancers = this.#store.list("hetzner.load_balancer").flatMap((one) => one.network ?? []);
    return [...ofServers, ...balancers.filter(({ id }) => id === network).map(({ ip }) => ip)];
  }
}

/** @throws {HetznerError} when a server would stand in two networks that have addresses in common */
export function requireApart(networks: readonly Network[]): void {
  const ranges = networks.flatMap(({ range }) => rangeOf(range) ?? []);
  if (ranges.some((range, index) => ranges.slice(index + 1).some((other) => overlaps(range, other)))) {
    throw new HetznerError(422, "networks_overlap", "the networks of a server must not overlap");
  }
}
