/** Implements machines without running anything: for the API alone and for hundreds of servers. */
import type { BalancerSpec, Health, MachineSpec, Machines } from "./machines.ts";

const done = (): Promise<void> => Promise.resolve();

/** Stores only what the API reads back: which servers are on, and the targets of load balancers. */
export class NoMachines implements Machines {
  readonly kind = "none";
  readonly #running = new Set<number>();
  readonly #balancers = new Map<number, BalancerSpec>();

  create(spec: MachineSpec, running: boolean): Promise<void> {
    return running ? this.powerOn(spec.id) : this.powerOff(spec.id);
  }
  powerOn(id: number): Promise<void> {
    this.#running.add(id);
    return done();
  }
  powerOff(id: number): Promise<void> {
    this.#running.delete(id);
    return done();
  }
  shutdown(id: number): Promise<void> {
    return this.powerOff(id);
  }
  isRunning(id: number): Promise<boolean> {
    return Promise.resolve(this.#running.has(id));
  }
  delete(id: number): Promise<void> {
    return this.powerOff(id);
  }
  resize = done;
  setNetworks = done;
  setFirewall = done;
  setPublicAddress = done;
  createNetwork = done;
  deleteNetwork = done;
  createVolume = done;
  resizeVolume = done;
  deleteVolume = done;
  attachVolume = done;
  detachVolume = done;
  setPartition = done;
  setNeverBoots = done;
  setVolumeFull = done;

  setBalancer(spec: BalancerSpec): Promise<void> {
    this.#balancers.set(spec.id, spec);
    return done();
  }
  /** Every target is healthy but servers that are off, since no process runs that could fail. */
  balancerHealth(id: number): Promise<Readonly<Record<string, Health>>> {
    const { targets = [], services = [] } = this.#balancers.get(id) ?? {};
    const pairs = targets.flatMap(({ name }) =>
      services.map(({ listenPort }): [string, Health] => [
        `${name}:${listenPort}`,
        this.#isOff(name) ? "unhealthy" : "healthy",
      ]),
    );
    return Promise.resolve(Object.fromEntries(pairs));
  }
  #isOff(target: string): boolean {
    const [, server] = /^server-(\d+)$/.exec(target) ?? [];
    return server !== undefined && !this.#running.has(Number(server));
  }
  deleteBalancer(id: number): Promise<void> {
    this.#balancers.delete(id);
    return done();
  }
  destroyAll(): Promise<void> {
    this.#running.clear();
    this.#balancers.clear();
    return done();
  }
}
