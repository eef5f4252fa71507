/** The emulated Hetzner Cloud behind its API: what all resources share. */
import { type Json } from "../json.ts";
import { type Machines, type NetworkInterface } from "../machines/machines.ts";
import { type Actions, keyOf, type Subject } from "./actions.ts";
import { isHostOf, isOneOf, nextFree, overlaps, rangeOf } from "./addresses.ts";
import { type Catalogue } from "./catalogue.ts";
import { HetznerError, invalid, locked, notFound, notUnique } from "./errors.ts";
import { labelSelector } from "./listing.ts";
import {
  type Action,
  type Balancer,
  type Firewall,
  type HetznerObjects,
  type HetznerStore,
  type NamedKind,
  type PlacementGroup,
  type PrimaryIp,
  type Server,
  type Volume,
} from "./state.ts";

export interface CloudOptions {
  readonly store: HetznerStore;
  readonly machines: Machines;
  readonly actions: Actions;
  readonly catalogue: Catalogue;
  readonly now: () => Date;
  /** Second octet of the addresses on loopback. */
  readonly block: number;
  /** Told of work in the background that failed. */
  readonly onError: (error: unknown) => void;
  /** Most resources of a kind; without an entry there is no limit. */
  readonly limits?: Partial<Readonly<Record<NamedKind, number>>>;
  /** Names of the locations that have no server of a type left. */
  readonly soldOut: (serverType: string) => ReadonlySet<string>;
}

const titles: Readonly<Record<NamedKind, string>> = {
  "hetzner.server": "server",
  "hetzner.network": "network",
  "hetzner.firewall": "firewall",
  "hetzner.volume": "volume",
  "hetzner.primary_ip": "primary IP",
  "hetzner.floating_ip": "floating IP",
  "hetzner.ssh_key": "ssh key",
  "hetzner.placement_group": "placement group",
  "hetzner.certificate": "certificate",
  "hetzner.load_balancer": "load balancer",
};

const mostInPlacementGroup = 10;
export const mostVolumes = 16;
/** Where the IPv6 ranges of a kind begin: the second octet of a block is below 256. */
const ranges6 = { primary_ip: 0, floating_ip: 0x100, load_balancer: 0x200 } as const;

export class Cloud {
  readonly store: HetznerStore;
  readonly machines: Machines;
  readonly actions: Actions;
  readonly catalogue: Catalogue;
  readonly now: () => Date;
  readonly soldOut: CloudOptions["soldOut"];
  readonly #block: number;
  readonly #limits: NonNullable<CloudOptions["limits"]>;
  readonly #onError: (error: unknown) => void;
  readonly #background = new Set<Promise<unknown>>();
  /** Addresses that machines are about to lose; those in networks as `<network>/<address>`. */
  readonly #held = new Set<string>();

  constructor(options: CloudOptions) {
    this.store = options.store;
    this.machines = options.machines;
    this.actions = options.actions;
    this.catalogue = options.catalogue;
    this.now = options.now;
    this.soldOut = options.soldOut;
    this.#block = options.block;
    this.#limits = options.limits ?? {};
    this.#onError = options.onError;
  }

  /** @throws {HetznerError} not_found */
  require<Kind extends NamedKind>(kind: Kind, id: unknown): HetznerObjects[Kind] {
    const found = this.store.get(kind, String(id));
    if (found === undefined) throw notFound(titles[kind], String(id));
    return found;
  }

  requireAction(id: string): Action {
    const found = this.actions.get(Number(id));
    if (found === undefined) throw notFound("action", id);
    return found;
  }

  /** @throws {HetznerError} uniqueness_error */
  requireFreeName(kind: NamedKind, name: string, except?: number): void {
    if (this.store.list(kind).some((one) => one.name === name && one.id !== except)) throw notUnique();
  }

  /** @throws {HetznerError} locked, while an action on the subject runs */
  requireIdle(subject: Subject): void {
    if (this.actions.isBusy(subject)) throw locked(`${subject.type} ${subject.id}`);
  }

  /** Changes an object of the store, as it is now. */
  change<Kind extends NamedKind>(
    kind: Kind,
    id: number,
    change: (now: HetznerObjects[Kind]) => Partial<HetznerObjects[Kind]>,
  ): HetznerObjects[Kind] {
    const now = this.require(kind, id);
    const next = { ...now, ...change(now) };
    this.store.put(kind, id, next);
    return next;
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
      ...this.store.list("hetzner.primary_ip").map(({ ip }) => ip),
      ...this.store.list("hetzner.floating_ip").map(({ ip }) => ip),
      ...this.store.list("hetzner.load_balancer").map(({ ip }) => ip),
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

  /** Every address that somebody has in a network. */
  takenIn(network: number): Set<string> {
    const servers = this.store.list("hetzner.server").flatMap(({ networks }) => networks);
    const ofServers = servers.filter((one) => one.network === network).flatMap(({ ip, aliasIps }) => [ip, ...aliasIps]);
    const balancers = this.store.list("hetzner.load_balancer").flatMap((one) => one.network ?? []);
    return new Set([...ofServers, ...balancers.filter(({ id }) => id === network).map(({ ip }) => ip)]);
  }

  /**
   * The wanted private address, or the next free one of a subnet in the network zone.
   *
   * @param range the subnet to take it from; undefined: any
   * @param others addresses that are about to be taken, too
   */
  privateAddress(
    network: number,
    wanted: string | undefined,
    zone: string,
    range?: string,
    others: readonly string[] = [],
  ): string {
    const { subnets } = this.require("hetzner.network", network);
    const taken = new Set([...this.takenIn(network), ...others]);
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
    const held = [...this.#held].flatMap((one) => (one.startsWith(`${network}/`) ? [one.split("/")[1] ?? ""] : []));
    const unheld = new Set([...taken, ...held]);
    for (const one of usable) {
      const free = nextFree(one.range, unheld) ?? nextFree(one.range, taken);
      if (free !== undefined) return free;
    }
    throw new HetznerError(422, "no_subnet_available", "no address of the network is left");
  }

  /** @throws {HetznerError} when a server would stand in two networks that have addresses in common */
  requireApart(networks: readonly number[]): void {
    const ranges = networks.flatMap((id) => rangeOf(this.require("hetzner.network", id).range) ?? []);
    if (ranges.some((range, index) => ranges.slice(index + 1).some((other) => overlaps(range, other)))) {
      throw new HetznerError(422, "networks_overlap", "the networks of a server must not overlap");
    }
  }

  interfacesOf(server: Server): NetworkInterface[] {
    return server.networks.map(({ network, ip, aliasIps }) => ({
      networkId: network,
      range: this.require("hetzner.network", network).range,
      address: ip,
      aliasAddresses: aliasIps,
    }));
  }

  /** The public IPv4 address of a server. */
  publicAddress(server: number): string | undefined {
    return this.store.list("hetzner.primary_ip").find((one) => one.server === server && one.type === "ipv4")?.ip;
  }

  addressesOf(server: number): PrimaryIp[] {
    return this.store.list("hetzner.primary_ip").filter((one) => one.server === server);
  }

  /** @throws {HetznerError} when it is assigned already, or does not fit */
  requireFreeAddress(id: number, type: PrimaryIp["type"], location: string): PrimaryIp {
    const found = this.require("hetzner.primary_ip", id);
    if (found.server !== undefined) {
      throw new HetznerError(409, "primary_ip_assigned", `primary IP ${found.name} is assigned to a server`);
    }
    if (found.type !== type) {
      throw new HetznerError(422, "primary_ip_version_mismatch", `primary IP ${found.name} is of type ${found.type}`);
    }
    if (found.location !== location) {
      const message = `primary IP ${found.name} is in ${found.location}, not in ${location}`;
      throw new HetznerError(422, "primary_ip_datacenter_mismatch", message);
    }
    return found;
  }

  newPrimaryIp(wanted: Omit<PrimaryIp, "id" | "ip" | "name"> & { readonly name?: string }): PrimaryIp {
    this.requireRoom("hetzner.primary_ip");
    const id = this.store.nextId("hetzner.primary_ip");
    const ip = wanted.type === "ipv4" ? this.freeAddress() : this.freeRange6("primary_ip", id);
    const made: PrimaryIp = { ...wanted, id, ip, name: wanted.name ?? `primary_ip-${id}` };
    this.store.put("hetzner.primary_ip", id, made);
    return made;
  }

  /**
   * Names, or with null no longer names, an address of the DNS.
   *
   * @throws {HetznerError} when it is none of the object's
   */
  setDnsPtr<Kind extends "hetzner.primary_ip" | "hetzner.floating_ip" | "hetzner.load_balancer">(
    kind: Kind,
    object: HetznerObjects[Kind],
    address: string,
    name: string | null,
  ): void {
    const own = "ipv6" in object ? [object.ip, object.ipv6] : [object.ip];
    if (!own.some((one) => isOneOf(one, address))) throw invalid("ip", `${address} is none of its addresses`);
    const others = Object.entries(object.dnsPtr).filter(([ip]) => ip !== address);
    const dnsPtr = Object.fromEntries(name === null ? others : [...others, [address, name]]);
    this.store.put(kind, object.id, { ...object, dnsPtr });
  }

  /** @throws {HetznerError} when it is attached already, or is elsewhere */
  requireFreeVolume(id: number, location: string): Volume {
    const volume = this.require("hetzner.volume", id);
    if (volume.server !== undefined) {
      throw new HetznerError(422, "volume_already_attached", `volume ${volume.name} is attached to a server`);
    }
    if (volume.location !== location) throw invalid("volume", `is in ${volume.location}, not in ${location}`);
    this.requireIdle({ id, type: "volume" });
    return volume;
  }

  /** @throws {HetznerError} when a server has as many Volumes as it can */
  requireRoomForVolume(server: number): void {
    if (this.store.list("hetzner.volume").filter((one) => one.server === server).length >= mostVolumes) {
      throw new HetznerError(403, "resource_limit_exceeded", `a server has at most ${mostVolumes} volumes`);
    }
  }

  /** @throws {HetznerError} when a placement group has no place left */
  requirePlace(group: number): void {
    const { name } = this.require("hetzner.placement_group", group);
    const members = this.store.list("hetzner.server").filter(({ placementGroup }) => placementGroup === group);
    if (members.length >= mostInPlacementGroup) {
      const message = `placement group ${name} has ${mostInPlacementGroup} servers, the most it can have`;
      throw new HetznerError(422, "placement_error", message);
    }
  }

  placementGroupView({ id, name, labels, created, type }: PlacementGroup): Json {
    const servers = this.store.list("hetzner.server").flatMap((one) => (one.placementGroup === id ? [one.id] : []));
    return { id, name, labels, created, type, servers };
  }

  /** A location, also as the datacenter that clients before mid-2026 read. */
  placeOf(name: string): Json {
    const location = this.catalogue.find(this.catalogue.locations, name);
    return {
      location,
      datacenter: location && {
        id: location.id,
        name: `${name}-dc1`,
        description: `${name} virtual DC 1`,
        location,
        server_types: { supported: [], available: [], available_for_migration: [] },
      },
    };
  }

  zoneOf(location: string): string {
    return this.catalogue.find(this.catalogue.locations, location)?.network_zone ?? "";
  }

  /** @throws {HetznerError} resource_limit_exceeded */
  requireRoom(kind: NamedKind): void {
    const limit = this.#limits[kind];
    if (limit !== undefined && this.store.count(kind) >= limit) {
      throw new HetznerError(403, "resource_limit_exceeded", `${titles[kind]} limit of ${limit} exceeded`);
    }
  }

  /** Load balancers that send requests to a server. */
  balancersOf({ id, labels }: Server): Balancer[] {
    return this.store
      .list("hetzner.load_balancer")
      .filter(({ targets }) =>
        targets.some((one) => one.server === id || (one.selector !== undefined && labelSelector(one.selector)(labels))),
      );
  }

  /** Takes a deleted server out of everything that names it. */
  forget({ id }: Server): void {
    const { store } = this;
    store.transaction(() => {
      store.delete("hetzner.server", id);
      for (const one of this.addressesOf(id)) {
        if (one.autoDelete) store.delete("hetzner.primary_ip", one.id);
        else store.put("hetzner.primary_ip", one.id, { ...one, server: undefined });
      }
      for (const one of store.list("hetzner.floating_ip").filter(({ server }) => server === id)) {
        store.put("hetzner.floating_ip", one.id, { ...one, server: undefined });
      }
      for (const one of store.list("hetzner.volume").filter(({ server }) => server === id)) {
        store.put("hetzner.volume", one.id, { ...one, server: undefined });
      }
      for (const one of store.list("hetzner.firewall").filter(({ servers }) => servers.includes(id))) {
        store.put("hetzner.firewall", one.id, { ...one, servers: one.servers.filter((server) => server !== id) });
      }
      for (const one of store
        .list("hetzner.load_balancer")
        .filter(({ targets }) => targets.some((t) => t.server === id))) {
        store.put("hetzner.load_balancer", one.id, { ...one, targets: one.targets.filter((t) => t.server !== id) });
      }
    });
  }

  /** Work on a subject that no action stands for; its errors are told by `onError`. Resolves when it is over. */
  background(subject: Subject, work: () => Promise<void>): Promise<void> {
    const running = this.actions
      .inTurn(subject, work)
      .catch((error: unknown) => {
        this.#onError(error);
      })
      .finally(() => this.#background.delete(running));
    this.#background.add(running);
    return running;
  }

  /**
   * Deletes an object, and in the background what machines have of it; what a crash prevents is done at the next start.
   *
   * @param addresses what it had, as `hold` takes them
   */
  remove(kind: NamedKind, subject: Subject, work: () => Promise<void>, addresses: readonly string[] = []): void {
    this.store.delete(kind, subject.id);
    this.store.put("hetzner.removal", keyOf(subject), subject);
    void this.finishRemoval(subject, work).finally(this.hold(addresses));
  }

  finishRemoval(subject: Subject, work: () => Promise<void>): Promise<void> {
    return this.background(subject, async () => {
      await work();
      this.store.delete("hetzner.removal", keyOf(subject));
    });
  }

  /** Resolves when no action and no other work is under way. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
    await this.actions.settled();
  }

  firewallsOf(server: Server): Firewall[] {
    return this.store
      .list("hetzner.firewall")
      .filter(
        ({ servers, selectors }) =>
          servers.includes(server.id) || selectors.some((one) => labelSelector(one)(server.labels)),
      );
  }

  /** Has the machine keep to the rules of all its firewalls; in a line of its own, since each of them comes here. */
  applyFirewalls(id: number): Promise<void> {
    return this.actions.inTurn({ id, type: "server_firewall" }, async () => {
      const server = this.store.get("hetzner.server", id);
      if (!server) return;
      const firewalls = this.firewallsOf(server);
      const rules = firewalls.flatMap((firewall) =>
        firewall.rules.map(({ direction, protocol, port, source_ips, destination_ips }) => ({
          direction,
          protocol,
          port: port ?? undefined,
          addresses: direction === "in" ? source_ips : destination_ips,
        })),
      );
      await this.machines.setFirewall(id, firewalls.length === 0 ? undefined : rules);
    });
  }
}
