/** Allocates addresses: public ones on loopback, IPv6 ranges, and addresses in private networks. */
import { gatewayOf, isHostOf, nextFree, overlaps, rangeOf } from "./addresses.ts";
import { HetznerError } from "./errors.ts";
import type { HetznerStore, Network } from "./state.ts";

/** Start of the IPv6 ranges of each kind; the address block added to it is below 256. */
const ranges6 = { primary_ip: 0, floating_ip: 0x100, load_balancer: 0x200 } as const;

export class AddressBook {
  readonly #store: HetznerStore;
  readonly #block: number;
  /** Reserved addresses: deleted, but still set on a machine; private ones as `<network>/<address>`. */
  readonly #reserved = new Set<string>();

  /** @param block second octet of the addresses on loopback */
  constructor(store: HetznerStore, block: number) {
    this.#store = store;
    this.#block = block;
  }

  /** Reserves released addresses until the returned function is called, so that they are not allocated again yet. */
  reserve(addresses: readonly string[]): () => void {
    for (const one of addresses) this.#reserved.add(one);
    return () => {
      for (const one of addresses) this.#reserved.delete(one);
    };
  }

  /** Whether a resource has this public address. */
  isPublic(address: string): boolean {
    return this.#publicAddresses().includes(address);
  }

  #publicAddresses(): string[] {
    const kinds = ["hetzner.primary_ip", "hetzner.floating_ip", "hetzner.load_balancer"] as const;
    return kinds.flatMap((kind) => this.#store.list(kind).map(({ ip }) => ip));
  }

  /** Returns a free public address on loopback. */
  freeAddress(): string {
    const taken = new Set([...this.#reserved, ...this.#publicAddresses()]);
    // The upper half is reserved for the edge; .1 to .3 are never allocated, so that a typing error hits no server.
    for (let n = 4; n < 127 * 256; n++) {
      const address = `127.${this.#block}.${Math.floor(n / 254)}.${(n % 254) + 1}`;
      if (!taken.has(address)) return address;
    }
    throw new HetznerError(412, "resource_unavailable", "no public address is left");
  }

  /** An IPv6 /64 from the documentation range for each id of each kind; the rehearsal does not route it. */
  freeRange6(kind: keyof typeof ranges6, id: number): string {
    return `2001:db8:${(ranges6[kind] + this.#block).toString(16)}:${id.toString(16)}::/64`;
  }

  /**
   * Returns the wanted private address, or the next free one of a subnet in the network zone.
   *
   * @param range subnet to allocate from; undefined: any
   * @param others further addresses that the same request takes
   */
  privateAddress(
    { id, subnets, range: whole }: Network,
    wanted: string | undefined,
    zone: string,
    range?: string,
    others: readonly string[] = [],
  ): string {
    // Only the first host address of the whole network is its gateway's.
    const taken = new Set([gatewayOf(whole), ...this.#takenIn(id), ...others]);
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
    // A specific address may be taken while it is reserved; an arbitrary one avoids reserved addresses if possible.
    const reserved = [...this.#reserved].flatMap((one) => (one.startsWith(`${id}/`) ? [one.split("/")[1] ?? ""] : []));
    const unreserved = new Set([...taken, ...reserved]);
    for (const one of usable) {
      const free = nextFree(one.range, unreserved) ?? nextFree(one.range, taken);
      if (free !== undefined) return free;
    }
    throw new HetznerError(422, "no_subnet_available", "no address of the network is left");
  }

  /** All addresses in use in a network. */
  #takenIn(network: number): string[] {
    const servers = this.#store.list("hetzner.server").flatMap(({ networks }) => networks);
    const ofServers = servers.filter((one) => one.network === network).flatMap(({ ip, aliasIps }) => [ip, ...aliasIps]);
    const balancers = this.#store.list("hetzner.load_balancer").flatMap((one) => one.network ?? []);
    return [...ofServers, ...balancers.filter(({ id }) => id === network).map(({ ip }) => ip)];
  }
}

/** @throws {HetznerError} when networks of the same server overlap */
export function requireNoOverlap(networks: readonly Network[]): void {
  const ranges = networks.flatMap(({ range }) => rangeOf(range) ?? []);
  if (ranges.some((range, index) => ranges.slice(index + 1).some((other) => overlaps(range, other)))) {
    throw new HetznerError(422, "networks_overlap", "the networks of a server must not overlap");
  }
}
