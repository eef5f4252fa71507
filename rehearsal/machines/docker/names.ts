/** Names and addresses of what a cloud has on its host. Pure. */
import { numberOf, textOf } from "../../hetzner/addresses.ts";

/** The small network that stands behind one public address. */
export interface PublicNetwork {
  readonly subnet: string;
  readonly gateway: string;
  /** The address of the server or load balancer in it. */
  readonly host: string;
}

/** A subnet of eight addresses for each public one. */
const subnetSize = 8;
const mostAddresses = 65_536 / subnetSize;

export class Names {
  /** Short, since it is part of the names of packet filter chains. */
  readonly instance: string;
  /** Second octet: public addresses are 127.<block>.0.0/16, and what stands behind them is 10.<block>.0.0/16. */
  readonly block: number;

  constructor(instance: string, block: number) {
    if (!/^[a-z0-9]{1,8}$/.test(instance)) {
      throw new Error(`'${instance}' is no name of a cloud: one to eight of a-z and 0-9 are expected`);
    }
    if (!Number.isInteger(block) || block < 1 || block > 255) throw new Error(`${block} is no octet of an address`);
    this.instance = instance;
    this.block = block;
  }

  get label(): string {
    return `orion.rehearsal=${this.instance}`;
  }
  server(id: number): string {
    return this.#name("server", id);
  }
  /** The volume below a server's own Docker Engine. */
  disk(id: number): string {
    return this.#name("disk", id);
  }
  balancer(id: number): string {
    return this.#name("balancer", id);
  }
  publicNetwork(address: string): string {
    return this.#name("public", this.#indexOf(address));
  }
  /** Sorts behind the public network: Docker numbers a container's interfaces in the order of these names. */
  privateNetwork(id: number): string {
    return this.#name("vpc", id);
  }
  publicBridge(address: string): string {
    return `${this.publicBridges}${this.#indexOf(address)}`;
  }
  privateBridge(id: number): string {
    return `${this.privateBridges}${id}`;
  }
  get publicBridges(): string {
    return `oc${this.block}s`;
  }
  get privateBridges(): string {
    return `oc${this.block}p`;
  }
  chain(suffix: string): string {
    return `OC-${this.instance}-${suffix}`;
  }
  /** Addresses of the cloud itself: the edge, object storage, the registry. */
  get cloudRange(): string {
    return `127.${this.block}.255.0/24`;
  }
  /** At which a server reaches an address of the cloud itself. */
  fromServer(cloudAddress: string): string {
    return cloudAddress.replace(/^127\./, "10.");
  }

  behind(address: string): PublicNetwork {
    const base = (numberOf(`10.${this.block}.0.0`) ?? 0) + this.#indexOf(address) * subnetSize;
    return { subnet: `${textOf(base)}/29`, gateway: textOf(base + 1), host: textOf(base + 2) };
  }

  #indexOf(address: string): number {
    const index = (numberOf(address) ?? 0) - (numberOf(`127.${this.block}.0.0`) ?? 0);
    if (index < 1 || index >= mostAddresses) throw new Error(`${address} is no public address of this cloud`);
    return index;
  }

  #name(kind: string, id: number): string {
    return `orion-cloud-${this.instance}-${kind}-${id}`;
  }
}
