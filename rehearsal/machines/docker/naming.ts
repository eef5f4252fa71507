/** Names, bridges and addresses of a cloud's containers and networks on this host. Pure. */
import { numberOf, textOf } from "../../hetzner/addresses.ts";

/** The Docker network of one public address. */
export interface PublicNetwork {
  readonly subnet: string;
  readonly gateway: string;
  /** The address of the server or load balancer in it. */
  readonly host: string;
}

/** Addresses of the subnet for each public address. */
const subnetSize = 8;
/** The last 512 addresses are the Internet's and the cloud's own. */
const mostAddresses = (65_536 - 512) / subnetSize;

/** Docker's label of everything of a cloud; its value is the cloud's name. */
export const cloudLabel = "orion.rehearsal";

export class Naming {
  /** Name of the cloud; short, since it is part of the names of iptables chains. */
  readonly instance: string;
  /** Second octet: public addresses are 127.<block>.0.0/16, their containers are in 10.<block>.0.0/16. */
  readonly block: number;

  constructor(instance: string, block: number) {
    if (!/^[a-z0-9]{1,8}$/.test(instance)) {
      throw new Error(`'${instance}' is not a valid name of a cloud: expected one to eight of a-z and 0-9`);
    }
    if (!Number.isInteger(block) || block < 1 || block > 255)
      throw new Error(`block ${block} is not valid: expected an integer from 1 to 255`);
    this.instance = instance;
    this.block = block;
  }

  get label(): string {
    return `${cloudLabel}=${this.instance}`;
  }
  server(id: number): string {
    return this.#name("server", id);
  }
  /** Docker volume that stores the data of a server's nested Docker Engine. */
  disk(id: number): string {
    return this.#name("disk", id);
  }
  balancer(id: number): string {
    return this.#name("balancer", id);
  }
  publicNetwork(address: string): string {
    return this.#name("public", this.#indexOf(address));
  }
  /** Sorts after the public network: Docker numbers a container's interfaces in the order of these names. */
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
  /** Docker network of what is on the Internet beside the servers: a container in it is another provider's service. */
  get internet(): string {
    return `orion-cloud-${this.instance}-internet`;
  }
  get internetBridge(): string {
    return `oc${this.block}i`;
  }
  /** Range of the servers' addresses in the public networks, as other machines see them. */
  get serverRange(): string {
    return `10.${this.block}.0.0/16`;
  }
  get internetRange(): string {
    return `10.${this.block}.254.0/24`;
  }
  chain(suffix: string): string {
    return `OC-${this.instance}-${suffix}`;
  }
  /** Address range of the cloud's own services: edge, object storage, registry. */
  get cloudRange(): string {
    return `127.${this.block}.255.0/24`;
  }
  /** Address at which a server reaches one of the cloud's own services. */
  fromServer(cloudAddress: string): string {
    return cloudAddress.replace(/^127\./, "10.");
  }

  behind(address: string): PublicNetwork {
    const base = (numberOf(`10.${this.block}.0.0`) ?? 0) + this.#indexOf(address) * subnetSize;
    return { subnet: `${textOf(base)}/29`, gateway: textOf(base + 1), host: textOf(base + 2) };
  }

  #indexOf(address: string): number {
    const index = (numberOf(address) ?? 0) - (numberOf(`127.${this.block}.0.0`) ?? 0);
    if (index < 1 || index >= mostAddresses) throw new Error(`${address} is not a public address of this cloud`);
    return index;
  }

  #name(kind: string, id: number): string {
    return `orion-cloud-${this.instance}-${kind}-${id}`;
  }
}
