/** The rehearsed platform of a drill: injects failures and waits until it is healthy. */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../common/user-error.ts";
import type { CloudClient } from "../../rehearsal/cloud/client.ts";
import { type Place, placeOrder, visit } from "../../rehearsal/load/visit.ts";
import { physicalName } from "../../topology/naming.ts";
import type { Service } from "../../topology/service.ts";
import { lastingServices, servicesOf } from "../../topology/topology.ts";
import { hetznerOf } from "../cloud-apis.ts";
import { Engines } from "../engines.ts";
import { readStackFile, type StackFile } from "../stack-file.ts";

/** Seconds within which the platform must recover by itself. */
export const recoverySeconds = 300;

export interface ScenePlaces extends Place {
  /** Folder of the rehearsal's Pulumi project. */
  readonly folder: string;
  readonly stack: string;
  readonly client: CloudClient;
}

export class Scene {
  readonly #places: ScenePlaces;
  #file: StackFile;
  #engines: Engines;

  constructor(places: ScenePlaces) {
    this.#places = places;
    this.#file = readStackFile(places.folder, places.stack);
    this.#engines = new Engines(places.folder, this.#file);
  }

  get file(): StackFile {
    return this.#file;
  }

  get engines(): Engines {
    return this.#engines;
  }

  get folder(): string {
    return this.#places.folder;
  }

  /** Reads the stack again, after a command that has changed it. */
  reread(): void {
    this.#file = readStackFile(this.#places.folder, this.#places.stack);
    this.#engines = new Engines(this.#places.folder, this.#file);
  }

  get services(): readonly Service[] {
    return lastingServices(this.#file.topology);
  }

  /** The server with the primary. */
  get primary(): string {
    const [database] = servicesOf(this.#file.topology, "database");
    if (database) return database.server;
    throw new UserError(`Stack '${this.#places.stack}' has no database of its own.`);
  }

  placeOrder(): Promise<number | undefined> {
    return placeOrder(this.#places);
  }

  /** Resolves when visitors get pages and can place orders. */
  ready(seconds = recoverySeconds): Promise<void> {
    return until("visitors get pages and can place orders", seconds, async () => {
      return (await visit(this.#places, "/health")) === 200 && (await this.placeOrder()) === 201;
    });
  }

  /** Resolves when the containers of these services are healthy. @default all */
  healthy(services: readonly Service[] = this.services, seconds = recoverySeconds): Promise<void> {
    return until(`${services.map(({ name }) => name).join(", ")} healthy`, seconds, () =>
      services.every((service) => {
        const format = "{{.Status}}";
        const { stdout } = this.#engines.of(service).serviceContainers(this.#places.stack, format, service.name);
        return stdout.includes("(healthy)");
      }),
    );
  }

  /**
   * Kills a service's container by killing its first process, as the kernel does when memory runs out. After `docker kill`
   * Docker would not restart it. Resolves when it was started again.
   */
  async kill(service: Service): Promise<void> {
    const [engine, container] = [this.#engines.of(service), this.#engines.container(service)];
    const state = () => {
      const format = "{{.State.Pid}} {{.State.StartedAt}}";
      return engine.capture("inspect", "--format", format, container).stdout.trim().split(" ");
    };
    const [pid = "", since] = state();
    engine.captureOnHost("kill", "-KILL", pid);
    await until(`${service.name} started again`, recoverySeconds, () => {
      const [now, started] = state();
      return now !== "0" && started !== since;
    });
  }

  /** Takes a server's power away without a shutdown, and gives it back after a second. */
  async cutPower(server: string): Promise<void> {
    await this.#places.client.addFault({ kind: "killed", server: this.#nameOf(server) });
    await sleep(1000);
    await this.power(server, "poweron");
    // A connection to the time before the power cut would never answer.
    this.#engines.of({ server }).disconnect();
  }

  async power(server: string, action: "poweron" | "poweroff"): Promise<void> {
    const hetzner = hetznerOf(this.#places.folder, this.#places.stack);
    const name = this.#nameOf(server);
    const found = await hetzner.server(name);
    if (!found) throw new UserError(`There is no server ${name} on the rehearsal cloud.`);
    await hetzner.act(found.id, action);
  }

  /** Fills the Volume of a server. @returns a function that frees the space */
  async fillVolume(server: string): Promise<() => Promise<void>> {
    const fault = await this.#places.client.addFault({ kind: "volume_full", volume: this.#nameOf(server) });
    return () => this.#places.client.removeFault(Number(fault["id"]));
  }

  /** Resolves when the load balancer finds so many of a server's targets unhealthy that it sends nothing there, or none. */
  async balanced(server: string, healthy: boolean): Promise<void> {
    const name = this.#nameOf(server);
    await until(`the load balancer finds ${server} ${healthy ? "healthy" : "unhealthy"}`, recoverySeconds, async () => {
      const { balancers } = await this.#places.client.status();
      const health = balancers.flatMap(({ targets }) =>
        targets.flatMap((one) => (one.name === name ? one.health : [])),
      );
      return health.length > 0 && health.every(({ status }) => (status === "healthy") === healthy);
    });
  }

  #nameOf(server: string): string {
    return physicalName({ stack: this.#places.stack }, server);
  }
}

/** Resolves when it is so. @throws {UserError} when it is not within the time */
export async function until(what: string, seconds: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new UserError(`After ${seconds} s it was still not so: ${what}`);
    await sleep(250);
  }
}
