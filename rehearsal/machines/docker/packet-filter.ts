/** Applies the cloud's iptables rules on the host: exposes servers and load balancers, enforces firewalls. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { must } from "../../../common/process.ts";
import type { FirewallRule } from "../machines.ts";
import type { Naming } from "./naming.ts";
import { chainsOf, type CloudService, type Exposed, hooks, packetRules } from "./packet-rules.ts";

export class PacketFilter {
  readonly #names: Naming;
  readonly #services: readonly CloudService[];
  readonly #file: string;
  readonly #exposed: Map<string, Exposed>;
  /** Firewall rules by server, including servers without a public address at the moment. */
  readonly #rules = new Map<number, readonly FirewallRule[] | undefined>();
  #chains: ReadonlySet<string> = new Set();
  #last: Promise<void> = Promise.resolve();

  /**
   * @param services what servers may reach of the cloud itself
   * @param file stores the exposed addresses, so that after a restart of the emulator servers stay reachable until they have
   *   been converged
   */
  constructor(names: Naming, services: readonly CloudService[], file: string) {
    this.#names = names;
    this.#services = services;
    this.#file = file;
    const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as readonly Exposed[]) : [];
    this.#exposed = new Map(kept.map((one) => [keyOf(one.kind, one.id), one]));
    for (const { kind, id, rules } of kept) if (kind === "server") this.#rules.set(id, rules);
  }

  /** Exposes a server or load balancer at a public address; undefined: not at all. */
  expose(kind: Exposed["kind"], id: number, address: string | undefined): Promise<void> {
    const key = keyOf(kind, id);
    if (address === undefined) this.#exposed.delete(key);
    else this.#exposed.set(key, { kind, id, address, rules: kind === "server" ? this.#rules.get(id) : undefined });
    if (address !== undefined) allowLoopback(this.#names.publicBridge(address));
    return this.#apply();
  }

  setRules(id: number, rules: readonly FirewallRule[] | undefined): Promise<void> {
    this.#rules.set(id, rules);
    const key = keyOf("server", id);
    const exposed = this.#exposed.get(key);
    if (exposed) this.#exposed.set(key, { ...exposed, rules });
    return this.#apply();
  }

  /** Removes a deleted server and its rules. */
  forget(id: number): Promise<void> {
    this.#rules.delete(id);
    return this.expose("server", id, undefined);
  }

  /** Removes all rules of this cloud, including those of an earlier process. */
  async clear(): Promise<void> {
    await this.#last.catch(() => undefined);
    this.#exposed.clear();
    this.#rules.clear();
    rmSync(this.#file, { force: true });
    for (const [table, hook, chain] of hooks(this.#names)) {
      await iptables(table, "-D", hook, "-j", chain).catch(() => undefined);
    }
    for (const table of ["nat", "filter"]) {
      const chains = await this.#existing(table);
      for (const action of ["-F", "-X"]) for (const chain of chains) await iptables(table, action, chain);
    }
    this.#chains = new Set();
  }

  /** Queues a rewrite of all rules of the cloud; each is applied atomically. */
  #apply(): Promise<void> {
    const next = this.#last.catch(() => undefined).then(() => this.#write());
    this.#last = next;
    return next;
  }

  async #write(): Promise<void> {
    const exposed = [...this.#exposed.values()];
    const chains = chainsOf(this.#names, exposed);
    const isFirst = this.#chains.size === 0;
    const before = isFirst ? new Set(await this.#existing("filter")) : this.#chains;
    const stale = [...before].filter((chain) => !chains.includes(chain) && !chain.startsWith(this.#names.chain("N")));
    const text = packetRules(this.#names, exposed, this.#services, stale);
    await must("iptables-restore", ["--wait", "10", "--noflush"], { input: text });
    if (isFirst) await this.#hook();
    this.#chains = new Set(chains);
    this.#keep(exposed);
  }

  #keep(exposed: readonly Exposed[]): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(exposed), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }

  async #hook(): Promise<void> {
    for (const [table, hook, chain] of hooks(this.#names)) {
      const isThere = await iptables(table, "-C", hook, "-j", chain).then(
        () => true,
        () => false,
      );
      if (!isThere) await iptables(table, "-I", hook, "1", "-j", chain);
    }
  }

  async #existing(table: string): Promise<string[]> {
    const listed = await iptables(table, "-S");
    return listed
      .split("\n")
      .flatMap((line) => (line.startsWith(`-N ${this.#names.chain("")}`) ? [line.slice("-N ".length)] : []));
  }
}

const keyOf = (kind: Exposed["kind"], id: number): string => `${kind}/${id}`;

const iptables = (table: string, ...args: readonly string[]): Promise<string> =>
  must("iptables", ["--wait", "10", "--table", table, ...args]);

/** Allows packets with loopback addresses on one bridge. */
function allowLoopback(bridge: string): void {
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, "1");
}
