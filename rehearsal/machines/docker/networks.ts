/**
 * Creates Docker networks: a small one for each public address, an internal one for each private network, and the Internet.
 *
 * The addresses in a private network are set inside the guests (guest.ts). Docker uses an unrelated range of its choice, so
 * that several clouds on one host can have private networks with the same range.
 */
import { existsSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { NetworkInterface } from "../machines.ts";
import { docker, dockerLines, dockerUnless } from "./docker.ts";
import type { Naming } from "./naming.ts";

const attachedSchema = z.record(
  z.string(),
  z.object({ IPAMConfig: z.object({ IPv4Address: z.string().optional() }).nullish() }),
);

export class Networks {
  readonly #names: Naming;
  /** Networks are created and removed one after the other: two at once could get the same range. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(names: Naming) {
    this.#names = names;
  }

  /** Makes the network of services of others, which tests put containers into. */
  createInternet(): Promise<void> {
    const { internet, internetBridge, internetRange } = this.#names;
    return this.#enqueue(() => this.#make(internet, internetBridge, ["--subnet", internetRange]));
  }

  createPrivate(id: number): Promise<void> {
    return this.#enqueue(() => this.#makePrivate(id));
  }

  deletePrivate(id: number): Promise<void> {
    return this.#enqueue(() => dockerUnless(gone, "network", "rm", this.#names.privateNetwork(id)));
  }

  /** Connects a container to exactly these networks; works while it runs. */
  connect(
    container: string,
    publicAddress: string | undefined,
    interfaces: readonly NetworkInterface[],
  ): Promise<void> {
    const names = this.#names;
    return this.#enqueue(async () => {
      const wanted = new Map<string, string | undefined>(
        interfaces.map((one) => [names.privateNetwork(one.networkId), undefined]),
      );
      for (const { networkId } of interfaces) await this.#makePrivate(networkId);
      if (publicAddress !== undefined) {
        const { subnet, host } = names.behind(publicAddress);
        const options = ["--subnet", subnet];
        await this.#make(names.publicNetwork(publicAddress), names.publicBridge(publicAddress), options);
        wanted.set(names.publicNetwork(publicAddress), host);
      }
      const format = "{{json .NetworkSettings.Networks}}";
      const attached = attachedSchema.parse(JSON.parse(await docker("inspect", "--format", format, container)));
      for (const [network, { IPAMConfig: config }] of Object.entries(attached)) {
        const address = wanted.get(network);
        const isRight = address === undefined || address === config?.IPv4Address;
        if (wanted.has(network) && isRight) wanted.delete(network);
        else await docker("network", "disconnect", "--force", network, container);
      }
      for (const [network, address] of wanted) {
        await docker("network", "connect", ...(address === undefined ? [] : ["--ip", address]), network, container);
      }
      await this.#prune();
    });
  }

  /** Removes the networks of public addresses that no container uses. */
  prune(): Promise<void> {
    return this.#enqueue(() => this.#prune());
  }

  async #prune(): Promise<void> {
    const prefix = `orion-cloud-${this.#names.instance}-public-`;
    const listed = await dockerLines("network", "ls", "--filter", `name=^${prefix}`, "--format", "{{.Name}}");
    const containers = ["ps", "--all", "--filter", `label=${this.#names.label}`, "--format", "{{.Networks}}"];
    const used = new Set((await dockerLines(...containers)).flatMap((line) => line.split(",")));
    for (const network of listed.filter((name) => !used.has(name))) await dockerUnless(gone, "network", "rm", network);
  }

  #makePrivate(id: number): Promise<void> {
    return this.#make(this.#names.privateNetwork(id), this.#names.privateBridge(id), ["--internal"]);
  }

  async #make(name: string, bridge: string, options: readonly string[]): Promise<void> {
    if ((await docker("network", "ls", "--quiet", "--filter", `name=^${name}$`)) === "") {
      await docker(
        ...["network", "create", "--driver", "bridge", "--label", this.#names.label, ...options],
        ...["--opt", `com.docker.network.bridge.name=${bridge}`, name],
      );
    }
    closeIpv6(bridge);
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** Takes this machine's link-local IPv6 address from a bridge: the packet filter, which keeps servers away from it, is for IPv4. */
function closeIpv6(bridge: string): void {
  const setting = `/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`;
  if (existsSync(setting)) writeFileSync(setting, "1");
}

const gone = /No such network|not found/;
