/** Addresses on and around this machine that a rehearsed server must not reach, with listeners on those that can have one. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { docker } from "./sandbox.ts";

/** Where something answers in a test. */
export const answeringKinds = [
  "this machine at its own addresses",
  "another Docker network",
  "link-local addresses",
] as const;
export const surroundingKinds = [
  ...answeringKinds,
  "this machine at the addresses of the cloud's services",
  "other services at link-local addresses, such as a provider's",
  "gateways and name servers",
] as const;
export type SurroundingKind = (typeof surroundingKinds)[number];

export class Surroundings {
  readonly #name = `orion-test-neighbour-${process.pid}`;
  readonly #networks = [this.#name, `${this.#name}-local`] as const;
  readonly #listener: Server = createServer((socket) => socket.destroy());
  /** Second number of the cloud's addresses. */
  readonly #block: number;

  constructor(block: number) {
    this.#block = block;
  }

  /** Starts what answers. @returns places by kind, as `host/port` */
  async start(): Promise<Readonly<Record<SurroundingKind, readonly string[]>>> {
    this.#listener.listen(0, "0.0.0.0");
    await once(this.#listener, "listening");
    const bound = this.#listener.address();
    const port = typeof bound === "object" ? bound?.port : undefined;
    docker("network", "create", this.#networks[0]);
    docker("network", "create", "--subnet", "169.254.79.0/24", this.#networks[1]);
    docker("run", "--detach", "--name", this.#name, "--network", this.#networks[0], "nginx:1-bookworm");
    docker("network", "connect", this.#networks[1], this.#name);
    const [own, local] = this.#networks.map((network) => this.#addressIn(network));
    const gateways = found(/\bvia ([\d.]+)/g, printed("ip", "-4", "route"));
    const nameServers = found(/^nameserver ([\d.]+)$/gm, readFileSync("/etc/resolv.conf", "utf8"));
    return {
      "this machine at its own addresses": ownAddresses().map((address) => `${address}/${port}`),
      "this machine at the addresses of the cloud's services": [1, 2, 3, 4].map(
        (last) => `10.${this.#block}.255.${last}/${port}`,
      ),
      "another Docker network": [`${own}/80`],
      "link-local addresses": [`${local}/80`],
      "other services at link-local addresses, such as a provider's": [
        ...["169.254.169.254/53", "169.254.169.254/443", "169.254.169.254/8080"],
        ...["169.254.169.253/53", "169.254.170.2/80", "169.254.0.23/80"],
      ],
      "gateways and name servers": [...gateways, ...nameServers].flatMap((address) =>
        [22, 53, 80, 443].map((each) => `${address}/${each}`),
      ),
    };
  }

  stop(): void {
    this.#listener.close();
    docker("rm", "--force", "--volumes", this.#name);
    docker("network", "rm", ...this.#networks);
  }

  #addressIn(network: string): string {
    const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
    return docker("inspect", "--format", format, this.#name).join("");
  }
}

/** A script for bash that prints the places which accept a TCP connection within two seconds. */
export const reachedScript = (places: readonly string[]): string =>
  places.map((place) => `(timeout 2 bash -c "exec 3<>/dev/tcp/${place}" 2>/dev/null && echo ${place}) &`).join(" ") +
  " wait";

/** This machine's addresses. Those in the networks of other clouds come and go with them. */
export const ownAddresses = (): string[] => found(/ inet ([\d.]+)/g, printed("ip", "-4", "-oneline", "address"));

const printed = (program: string, ...args: string[]): string => spawnSync(program, args, { encoding: "utf8" }).stdout;

const found = (pattern: RegExp, text: string): string[] =>
  [...text.matchAll(pattern)].flatMap(([, one]) => one ?? []).filter((address) => !address.startsWith("127."));
