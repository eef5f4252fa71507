/** The emulated Hetzner Cloud behind its API: what all resources share. */
import { type Machines, type NetworkInterface } from "../machines/machines.ts";
import { type Actions, type Subject } from "./actions.ts";
import { nextFree } from "./addresses.ts";
import { type Catalogue } from "./catalogue.ts";
import { HetznerError, invalid, locked, notFound, notUnique } from "./errors.ts";
import { labelSelector } from "./listing.ts";
import {
  type Firewall,
  type HetznerObjects,
  type HetznerStore,
  type Json,
  type Labels,
  type NamedKind,
  type Server,
} from "./state.ts";

export interface CloudOptions {
  readonly store: HetznerStore;
  readonly machines: Machines;
  readonly actions: Actions;
  readonly catalogue: Catalogue;
  readonly now: () => Date;
  /** Second octet of the addresses on loopback. */
  readonly block: number;
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

export class Cloud {
  readonly store: HetznerStore;
  readonly machines: Machines;
  readonly actions: Actions;
  readonly catalogue: Catalogue;
  readonly now: () => Date;
  readonly soldOut: CloudOptions["soldOut"];
  readonly #block: number;

  constructor(options: CloudOptions) {
    this.store = options.store;
    this.machines = options.machines;
    this.actions = options.actions;
    this.catalogue = options.catalogue;
    this.now = options.now;
    this.soldOut = options.soldOut;
    this.#block = options.block;
  }

  /** @throws {HetznerError} not_found */
  require<Kind extends NamedKind>(kind: Kind, id: unknown): HetznerObjects[Kind] {
    const found = this.store.get(kind, String(id));
    if (found === undefined) throw notFound(titles[kind], String(id));
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

  /** A public address on loopback that nobody has. */
  freeAddress(): string {
    const taken = new Set([
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

  /** An address of documentation space, which the rehearsal serves nowhere; a /64 for each. */
  freeRange6(id: number): string {
    return `2001:db8:${this.#block.toString(16)}:${id.toString(16)}::/64`;
  }

  /** Every address that somebody has in a network. */
  takenIn(network: number): Set<string> {
    const servers = this.store.list("hetzner.server").flatMap(({ networks }) => networks);
    const ofServers = servers.filter((one) => one.network === network).flatMap(({ ip, aliasIps }) => [ip, ...aliasIps]);
    const balancers = this.store.list("hetzner.load_balancer").flatMap((one) => one.network ?? []);
    return new Set([...ofServers, ...balancers.filter(({ id }) => id === network).map(({ ip }) => ip)]);
  }

  /** The wanted private address, or the next free one of the network's first subnet. */
  privateAddress(network: number, wanted: string | undefined): string {
    const { subnets } = this.require("hetzner.network", network);
    const taken = this.takenIn(network);
    if (subnets.length === 0) throw new HetznerError(422, "no_subnet_available", "the network has no subnet");
    if (wanted !== undefined) {
      if (taken.has(wanted)) throw new HetznerError(422, "ip_not_available", `the IP ${wanted} is not available`);
      return wanted;
    }
    for (const { range } of subnets) {
      const free = nextFree(range, taken);
      if (free !== undefined) return free;
    }
    throw new HetznerError(422, "ip_not_available", "no address of the network is left");
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

  firewallsOf(server: Server): Firewall[] {
    return this.store
      .list("hetzner.firewall")
      .filter(
        ({ servers, selectors }) =>
          servers.includes(server.id) || selectors.some((one) => labelSelector(one)(server.labels)),
      );
  }

  /** Has the machine keep to the rules of all its firewalls. */
  async applyFirewalls(server: Server): Promise<void> {
    const firewalls = this.firewallsOf(server);
    const rules = firewalls.flatMap((firewall) =>
      firewall.rules.map(({ direction, protocol, port, source_ips, destination_ips }) => ({
        direction,
        protocol,
        port: port ?? undefined,
        addresses: direction === "in" ? source_ips : destination_ips,
      })),
    );
    await this.machines.setFirewall(server.id, firewalls.length === 0 ? undefined : rules);
  }
}

/** A body's field of a kind, or a refusal that names it. */
export const field = {
  text(body: Json, key: string): string {
    const value = body[key];
    if (typeof value !== "string" || value === "") throw invalid(key, "must be a text");
    return value;
  },
  optionalText(body: Json, key: string): string | undefined {
    return body[key] === undefined || body[key] === null ? undefined : field.text(body, key);
  },
  number(body: Json, key: string): number {
    const value = body[key];
    if (typeof value !== "number") throw invalid(key, "must be a number");
    return value;
  },
  optionalNumber(body: Json, key: string): number | undefined {
    return body[key] === undefined || body[key] === null ? undefined : field.number(body, key);
  },
  flag(body: Json, key: string, otherwise: boolean): boolean {
    const value = body[key];
    if (value === undefined || value === null) return otherwise;
    if (typeof value !== "boolean") throw invalid(key, "must be true or false");
    return value;
  },
  list(body: Json, key: string): unknown[] {
    const value = body[key];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw invalid(key, "must be a list");
    return value as unknown[];
  },
  records(body: Json, key: string): Json[] {
    return field.list(body, key).map((one) => {
      if (!isRecord(one)) throw invalid(key, "must be a list of objects");
      return one;
    });
  },
  record(body: Json, key: string): Json | undefined {
    const value = body[key];
    return isRecord(value) ? value : undefined;
  },
  labels(body: Json): Labels {
    const value = body["labels"] ?? {};
    if (!isRecord(value) || Object.values(value).some((one) => typeof one !== "string")) {
      throw invalid("labels", "must be an object of texts");
    }
    const wrong = Object.entries(value).find(
      ([key, text]) =>
        !/^([a-z0-9.-]+\/)?[\w]([\w.-]{0,61}[\w])?$/i.test(key) || !/^([\w]([\w.-]{0,61}[\w])?)?$/.test(String(text)),
    );
    if (wrong) throw invalid("labels", `'${wrong[0]}' or its value is not a valid label`);
    return value as Labels;
  },
};

export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
