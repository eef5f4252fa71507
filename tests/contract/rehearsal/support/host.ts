/** A host without machines that keeps book of what it was told, and objects to what a real one could not do. */
import type {
  BalancerSpec,
  Health,
  MachineSpec,
  Machines,
  NetworkInterface,
  VolumeSpec,
} from "../../../../rehearsal/machines/machines.ts";

interface Machine {
  spec: MachineSpec;
  running: boolean;
  publicAddress: string | undefined;
  interfaces: readonly NetworkInterface[];
}

const nothing = () => Promise.resolve();

export class Host implements Machines {
  readonly kind = "none";
  readonly machines = new Map<number, Machine>();
  readonly networks = new Map<number, string>();
  readonly volumes = new Map<number, { sizeGb: number; server: number | undefined }>();
  readonly balancers = new Map<number, BalancerSpec>();

  async create(spec: MachineSpec, running: boolean): Promise<void> {
    const known = this.machines.get(spec.id);
    const isSame = known?.spec.instanceId === spec.instanceId;
    const on = running || (isSame && known.running);
    this.machines.set(spec.id, { spec, running: on, publicAddress: undefined, interfaces: known?.interfaces ?? [] });
    await this.setPublicAddress(spec.id, spec.publicAddress);
  }
  powerOn(id: number): Promise<void> {
    this.#machine(id).running = true;
    return nothing();
  }
  powerOff(id: number): Promise<void> {
    const known = this.machines.get(id);
    if (known) known.running = false;
    return nothing();
  }
  shutdown(id: number): Promise<void> {
    return this.powerOff(id);
  }
  isRunning(id: number): Promise<boolean> {
    return Promise.resolve(this.machines.get(id)?.running ?? false);
  }
  delete(id: number): Promise<void> {
    this.machines.delete(id);
    for (const volume of this.volumes.values()) if (volume.server === id) volume.server = undefined;
    return nothing();
  }
  resize = nothing;
  setFirewall = nothing;
  setNetworks(id: number, interfaces: readonly NetworkInterface[]): Promise<void> {
    const machine = this.#machine(id);
    for (const { networkId, address, aliasAddresses } of interfaces) {
      this.#network(networkId);
      for (const one of [address, ...aliasAddresses]) this.#requireFree(networkId, one, machine.spec.id);
    }
    machine.interfaces = interfaces;
    return nothing();
  }
  setPublicAddress(id: number, address: string | undefined): Promise<void> {
    for (const [other, { publicAddress }] of this.machines) {
      if (address !== undefined && other !== id && publicAddress === address) {
        throw new Error(`servers ${id} and ${other} have the address ${address}`);
      }
    }
    this.#machine(id).publicAddress = address;
    return nothing();
  }

  createNetwork(id: number, range: string): Promise<void> {
    this.networks.set(id, range);
    return nothing();
  }
  deleteNetwork(id: number): Promise<void> {
    for (const [server, { interfaces }] of this.machines) {
      if (interfaces.some(({ networkId }) => networkId === id)) throw new Error(`network ${id} has server ${server}`);
    }
    for (const [balancer, { networks }] of this.balancers) {
      if (networks.some(({ networkId }) => networkId === id)) throw new Error(`network ${id} has balancer ${balancer}`);
    }
    this.networks.delete(id);
    return nothing();
  }

  createVolume({ id, sizeGb }: VolumeSpec): Promise<void> {
    if (!this.volumes.has(id)) this.volumes.set(id, { sizeGb, server: undefined });
    return nothing();
  }
  resizeVolume(id: number, sizeGb: number): Promise<void> {
    const volume = this.#volume(id);
    volume.sizeGb = Math.max(volume.sizeGb, sizeGb);
    return nothing();
  }
  deleteVolume(id: number): Promise<void> {
    const server = this.volumes.get(id)?.server;
    if (server !== undefined) throw new Error(`Volume ${id} is deleted while server ${server} has it`);
    this.volumes.delete(id);
    return nothing();
  }
  attachVolume(id: number, serverId: number): Promise<void> {
    this.#machine(serverId);
    const volume = this.#volume(id);
    if (volume.server !== undefined && volume.server !== serverId) {
      throw new Error(`Volume ${id} is attached to server ${serverId} while ${volume.server} has it`);
    }
    volume.server = serverId;
    return nothing();
  }
  detachVolume(id: number, serverId: number): Promise<void> {
    const volume = this.volumes.get(id);
    if (volume?.server === serverId) volume.server = undefined;
    return nothing();
  }

  setBalancer(spec: BalancerSpec): Promise<void> {
    for (const { networkId } of spec.networks) this.#network(networkId);
    this.balancers.set(spec.id, spec);
    return nothing();
  }
  balancerHealth(): Promise<Readonly<Record<string, Health>>> {
    return Promise.resolve({});
  }
  deleteBalancer(id: number): Promise<void> {
    this.balancers.delete(id);
    return nothing();
  }

  setPartition = nothing;
  setNeverBoots = nothing;
  setVolumeFull = nothing;
  destroyAll(): Promise<void> {
    for (const all of [this.machines, this.networks, this.volumes, this.balancers]) all.clear();
    return nothing();
  }

  #machine(id: number): Machine {
    return required(this.machines.get(id), `server ${id}`);
  }
  #network(id: number): string {
    return required(this.networks.get(id), `network ${id}`);
  }
  #volume(id: number): { sizeGb: number; server: number | undefined } {
    return required(this.volumes.get(id), `Volume ${id}`);
  }

  #requireFree(network: number, address: string, server: number): void {
    for (const [other, { interfaces }] of this.machines) {
      const taken = interfaces
        .filter(({ networkId }) => networkId === network)
        .flatMap((one) => [one.address, ...one.aliasAddresses]);
      if (other !== server && taken.includes(address))
        throw new Error(`servers ${server} and ${other} have ${address}`);
    }
  }
}

function required<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new Error(`there is no ${what}`);
  return found;
}
