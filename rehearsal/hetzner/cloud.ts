/** Shared state of the emulated Hetzner Cloud: store, machines, actions, limits, background work. */
import type { Machines } from "../machines/machines.ts";
import { type Actions, keyOf, type Subject } from "./actions.ts";
import { AddressBook } from "./address-book.ts";
import type { Catalogue, Location } from "./catalogue.ts";
import { HetznerError, invalid, locked, notFound, notUnique } from "./errors.ts";
import type { Action, HetznerObjects, HetznerStore, NamedKind, Server } from "./state.ts";

export interface CloudOptions {
  readonly store: HetznerStore;
  readonly machines: Machines;
  readonly actions: Actions;
  readonly catalogue: Catalogue;
  readonly now: () => Date;
  /** Second octet of the addresses on loopback. */
  readonly block: number;
  /** Called with the error of failed background work. */
  readonly onError: (error: unknown) => void;
  readonly shortage: Shortage;
}

/** What Hetzner cannot give at the moment. */
export interface Shortage {
  /** Names of the locations where a server type is sold out. */
  readonly soldOut: (serverType: string) => ReadonlySet<string>;
  /** Names of the locations that take no new servers. */
  readonly closed: () => ReadonlySet<string>;
  /** How many resources of a kind the account may have; undefined: any number. */
  readonly limit: (kind: NamedKind) => number | undefined;
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
  readonly addresses: AddressBook;
  readonly now: () => Date;
  readonly shortage: Shortage;
  readonly #onError: (error: unknown) => void;
  readonly #background = new Set<Promise<unknown>>();

  constructor(options: CloudOptions) {
    this.store = options.store;
    this.machines = options.machines;
    this.actions = options.actions;
    this.catalogue = options.catalogue;
    this.now = options.now;
    this.shortage = options.shortage;
    this.addresses = new AddressBook(options.store, options.block);
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

  /**
   * The location of something that can be made for a server.
   *
   * @throws {HetznerError} when neither is given, the location is not known, or the server is elsewhere
   */
  placeOf(asked: number | string | undefined, server: Server | undefined): Location {
    const { catalogue } = this;
    const found = catalogue.find(catalogue.locations, asked ?? server?.location);
    if (!found) throw invalid("location", "a known location or a server is required");
    if (server && server.location !== found.name) throw invalid("location", `the server is in ${server.location}`);
    return found;
  }

  /** Changes an object, based on its current stored values. */
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

  /** @throws {HetznerError} resource_limit_exceeded */
  requireRoom(kind: NamedKind): void {
    const limit = this.shortage.limit(kind);
    if (limit !== undefined && this.store.count(kind) >= limit) {
      const title = kind === "hetzner.primary_ip" ? "Primary IP" : titles[kind];
      throw new HetznerError(403, "resource_limit_exceeded", `${title} limit exceeded`);
    }
  }

  /** Names of the locations where a server of the type cannot be created, as server types show it. */
  unavailable(serverType: string): ReadonlySet<string> {
    return new Set([...this.shortage.soldOut(serverType), ...this.shortage.closed()]);
  }

  /** Runs work on a subject without an action; errors go to `onError`. Resolves when it has ended. */
  background(subject: Subject, work: () => Promise<void>): Promise<void> {
    const running = this.actions
      .enqueue(subject, work)
      .catch((error: unknown) => {
        this.#onError(error);
      })
      .finally(() => this.#background.delete(running));
    this.#background.add(running);
    return running;
  }

  /**
   * Deletes an object, and removes it from the machines in the background; after a crash the next start finishes that.
   *
   * @param addresses its addresses, as `AddressBook.reserve` takes them
   */
  remove(kind: NamedKind, subject: Subject, work: () => Promise<void>, addresses: readonly string[] = []): void {
    this.store.delete(kind, subject.id);
    this.store.put("hetzner.removal", keyOf(subject), subject);
    void this.finishRemoval(subject, work).finally(this.addresses.reserve(addresses));
  }

  finishRemoval(subject: Subject, work: () => Promise<void>): Promise<void> {
    return this.background(subject, async () => {
      await work();
      this.store.delete("hetzner.removal", keyOf(subject));
    });
  }

  /** Resolves when no action and no background work is running. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
    await this.actions.settled();
  }
}
