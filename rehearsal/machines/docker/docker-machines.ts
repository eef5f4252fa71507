/** Implements machines with Docker: servers are containers with systemd, load balancers HAProxy, Volumes loop devices. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Progress } from "../../../toolchain/src/progress.ts";
import type {
  BalancerSpec,
  FirewallRule,
  Health,
  MachineSpec,
  Machines,
  NetworkInterface,
  VolumeSpec,
} from "../machines.ts";
import { Balancers } from "./balancers.ts";
import { docker, dockerLines, dockerUnless } from "./docker.ts";
import { dropFrom, mountVolume, setPrivateAddresses, setVolumeFull, unmountVolume } from "./guest.ts";
import { MachineImages } from "./images.ts";
import { createArguments, instanceLabel, limitArguments } from "./machine.ts";
import { Naming } from "./naming.ts";
import { Networks } from "./networks.ts";
import { PacketFilter } from "./packet-filter.ts";
import type { CloudService } from "./packet-rules.ts";
import { cutPower, notThere } from "./power-cut.ts";
import { seedFiles } from "./seed.ts";
import { Volumes } from "./volumes.ts";
import { ContainerWatch } from "./container-watch.ts";

export interface DockerMachinesOptions {
  /** Folder of the project. */
  readonly root: string;
  /** Folder of the cloud, for Volumes, seeds and configuration. */
  readonly folder: string;
  readonly instance: string;
  /** Second octet of the addresses. */
  readonly block: number;
  /** What servers may reach of the cloud itself. */
  readonly cloudServices: Readonly<Record<"edge" | "registry" | "acme" | "metadata", CloudService>>;
  /** File with the CA certificate that servers trust, in PEM; it exists before the first server does. */
  readonly authorityFile: string;
  readonly progress: Progress;
}

/** Desired spec and networks of a server. */
interface Known {
  spec: MachineSpec;
  interfaces: readonly NetworkInterface[];
}

export class DockerMachines implements Machines {
  readonly kind = "docker";
  readonly #options: DockerMachinesOptions;
  readonly #names: Naming;
  readonly #images: MachineImages;
  readonly #networks: Networks;
  readonly #filter: PacketFilter;
  readonly #volumes: Volumes;
  readonly #balancers: Balancers;
  readonly #watch: ContainerWatch;
  readonly #known = new Map<number, Known>();
  /** For each machine: ends when its addresses have been set. */
  readonly #addressing = new Map<number, Promise<void>>();
  /** Volumes that are mounted when their server starts. */
  readonly #automounted = new Map<number, number>();
  /** Pairs of servers whose packets to each other are dropped. */
  readonly #partitions = new Set<string>();

  constructor(options: DockerMachinesOptions) {
    const { root, folder, instance, block, cloudServices, progress } = options;
    this.#options = options;
    this.#names = new Naming(instance, block);
    this.#images = new MachineImages({ root, logs: join(folder, "logs"), progress });
    this.#networks = new Networks(this.#names);
    this.#filter = new PacketFilter(this.#names, Object.values(cloudServices), join(folder, "exposed.json"));
    this.#volumes = new Volumes(folder, () => this.#images.name("server"), engineIsLimited());
    this.#balancers = new Balancers({
      names: this.#names,
      folder,
      networks: this.#networks,
      filter: this.#filter,
      image: () => this.#images.name("balancer"),
    });
    this.#watch = new ContainerWatch(this.#names, (container) => {
      void this.#rebooted(container);
    });
  }

  /** Builds missing images and starts to watch containers. */
  async start(): Promise<void> {
    await this.#networks.createInternet();
    await this.#images.name("server");
    await this.#images.name("balancer");
    await this.#watch.start();
  }

  close(): void {
    this.#watch.close();
  }

  async create(spec: MachineSpec, running: boolean): Promise<void> {
    const container = this.#names.server(spec.id);
    if (spec.image !== "debian-12") {
      throw new Error(`the image ${spec.image} is not available: servers of this cloud run debian-12`);
    }
    this.#known.set(spec.id, { spec, interfaces: this.#known.get(spec.id)?.interfaces ?? [] });
    const format = `{{index .Config.Labels "${instanceLabel}"}}`;
    const isSame =
      (await this.#isThere(container)) &&
      (await docker("inspect", "--format", format, container)).trim() === spec.instanceId;
    if (isSame) {
      await this.resize(spec.id, spec.cores, spec.memoryGb);
    } else {
      await this.#removeContainer(spec.id);
      const seed = this.#seed(spec);
      const folders = { seed, disk: this.#volumes.nodes(spec.id) };
      const image = await this.#images.name("server");
      await docker(...createArguments(this.#names, spec, folders, image, engineIsLimited()));
      await docker("network", "disconnect", "none", container);
    }
    await this.#volumes.attachDisk(spec.id);
    await this.#connect(spec.id);
    if (running) await this.powerOn(spec.id);
  }

  async powerOn(id: number): Promise<void> {
    const container = this.#names.server(id);
    await docker("start", container);
    this.#watch.set(container, true);
    await this.#afterStart(id);
  }

  async powerOff(id: number): Promise<void> {
    const container = this.#names.server(id);
    await cutPower(container, await this.#volumes.devicesOf(id));
    this.#watch.set(container, false);
  }

  async shutdown(id: number, seconds: number): Promise<void> {
    const container = this.#names.server(id);
    await dockerUnless(notThere, "kill", "--signal", "RTMIN+3", container);
    for (let waited = 0; waited < seconds; waited += 0.2) {
      if (!(await this.#isUp(container))) {
        this.#watch.set(container, false);
        return;
      }
      await sleep(200);
    }
    throw new Error(`the operating system did not shut down within ${seconds} s`);
  }

  isRunning(id: number): Promise<boolean> {
    return Promise.resolve(this.#watch.isRunning(this.#names.server(id)));
  }

  async delete(id: number): Promise<void> {
    for (const [volume, server] of this.#automounted) if (server === id) this.#automounted.delete(volume);
    await this.#removeContainer(id);
    await this.#filter.forget(id);
    await this.#networks.prune();
    this.#known.delete(id);
    this.#addressing.delete(id);
    rmSync(this.#folder(id), { recursive: true, force: true });
  }

  async resize(id: number, cores: number, memoryGb: number): Promise<void> {
    await docker("update", ...limitArguments(cores, memoryGb), this.#names.server(id));
  }

  async setNetworks(id: number, interfaces: readonly NetworkInterface[]): Promise<void> {
    const known = this.#require(id);
    known.interfaces = interfaces;
    await this.#connect(id);
    if (await this.#isUp(this.#names.server(id))) await this.#setAddresses(id);
  }

  setFirewall(id: number, rules: readonly FirewallRule[] | undefined): Promise<void> {
    return this.#filter.setRules(id, rules);
  }

  async setPublicAddress(id: number, address: string | undefined): Promise<void> {
    const known = this.#require(id);
    known.spec = { ...known.spec, publicAddress: address };
    await this.#connect(id);
  }

  createNetwork(id: number): Promise<void> {
    return this.#networks.createPrivate(id);
  }
  deleteNetwork(id: number): Promise<void> {
    return this.#networks.deletePrivate(id);
  }

  createVolume(volume: VolumeSpec): Promise<void> {
    return this.#volumes.create(volume);
  }
  resizeVolume(id: number, sizeGb: number): Promise<void> {
    return this.#volumes.resize(id, sizeGb);
  }
  deleteVolume(id: number): Promise<void> {
    return this.#volumes.delete(id);
  }

  async attachVolume(id: number, serverId: number, automount: boolean): Promise<void> {
    const container = this.#names.server(serverId);
    await this.#volumes.attach(id, serverId);
    if (!automount) return;
    this.#automounted.set(id, serverId);
    if (await this.#isUp(container)) await mountVolume(container, id);
  }

  async detachVolume(id: number, serverId: number): Promise<void> {
    this.#automounted.delete(id);
    if (!this.#volumes.isAttached(id, serverId)) return;
    const container = this.#names.server(serverId);
    if (await this.#isUp(container)) await unmountVolume(container, id);
    await this.#volumes.detach(id, serverId);
  }

  setBalancer(spec: BalancerSpec): Promise<void> {
    return this.#balancers.set(spec);
  }
  balancerHealth(id: number): Promise<Readonly<Record<string, Health>>> {
    return this.#balancers.health(id);
  }
  deleteBalancer(id: number): Promise<void> {
    return this.#balancers.delete(id);
  }

  async setPartition(serverA: number, serverB: number, partitioned: boolean): Promise<void> {
    const pair = [serverA, serverB].sort((a, b) => a - b).join("/");
    if (partitioned) this.#partitions.add(pair);
    else this.#partitions.delete(pair);
    await this.#partition(serverA);
    await this.#partition(serverB);
  }

  async setNeverBoots(id: number, never: boolean): Promise<void> {
    const marker = join(this.#folder(id), "seed", "never-boots");
    if (never) writeFileSync(marker, "");
    else rmSync(marker, { force: true });
    return Promise.resolve();
  }

  async setVolumeFull(id: number, serverId: number, full: boolean): Promise<void> {
    const container = this.#names.server(serverId);
    // On a deleted server no file needs to be removed.
    if (full || (await this.#isThere(container))) await setVolumeFull(container, id, full);
  }

  async destroyAll(): Promise<void> {
    const { label } = this.#names;
    const filter = ["--filter", `label=${label}`];
    this.#watch.close();
    const containers = await dockerLines("ps", "--all", "--quiet", ...filter);
    if (containers.length > 0) await docker("rm", "--force", "--volumes", ...containers);
    const volumes = await dockerLines(
      "volume",
      "ls",
      "--quiet",
      "--filter",
      `name=^orion-cloud-${this.#names.instance}-`,
    );
    if (volumes.length > 0) await docker("volume", "rm", "--force", ...volumes);
    const networks = await dockerLines("network", "ls", "--quiet", ...filter);
    if (networks.length > 0) await docker("network", "rm", ...networks);
    await this.#filter.clear();
    await this.#volumes.clear();
    for (const folder of ["servers", "balancers"]) {
      rmSync(join(this.#options.folder, folder), { recursive: true, force: true });
    }
  }

  /** Restores what a machine loses by a restart: private addresses, partitions, automounted Volumes. */
  async #afterStart(id: number): Promise<void> {
    const container = this.#names.server(id);
    await this.#setAddresses(id);
    await this.#partition(id);
    for (const [volume, server] of this.#automounted) if (server === id) await mountVolume(container, volume);
  }

  /** One after the other: a machine that reboots itself and an action may ask for it at the same time. */
  #setAddresses(id: number): Promise<void> {
    const networkOf = (network: number) => this.#names.privateNetwork(network);
    const set = async () => {
      const { spec, interfaces } = this.#require(id);
      await setPrivateAddresses(this.#names.server(id), interfaces, spec.publicAddress !== undefined, networkOf);
    };
    const next = (this.#addressing.get(id) ?? Promise.resolve()).then(set, set);
    this.#addressing.set(id, next);
    return next;
  }

  async #rebooted(container: string): Promise<void> {
    const id = Number(container.split("-").at(-1));
    // An error means that the server is being deleted at the same time, which wins.
    if (container === this.#names.server(id)) await this.powerOn(id).catch(() => undefined);
  }

  async #connect(id: number): Promise<void> {
    const { spec, interfaces } = this.#require(id);
    await this.#networks.connect(this.#names.server(id), spec.publicAddress, interfaces);
    await this.#filter.expose("server", id, spec.publicAddress);
  }

  async #partition(id: number): Promise<void> {
    const container = this.#names.server(id);
    if (!(await this.#isUp(container))) return;
    const others = [...this.#partitions]
      .map((pair) => pair.split("/").map(Number))
      .flatMap((pair) => (pair.includes(id) ? pair.filter((one) => one !== id) : []));
    const addresses = others
      .flatMap((other) => this.#known.get(other)?.interfaces ?? [])
      .flatMap(({ address, aliasAddresses }) => [address, ...aliasAddresses]);
    await dropFrom(container, addresses);
  }

  async #isThere(container: string): Promise<boolean> {
    return (await docker("ps", "--all", "--quiet", "--filter", `name=^${container}$`)) !== "";
  }

  async #isUp(container: string): Promise<boolean> {
    return (await docker("ps", "--quiet", "--filter", `name=^${container}$`)) !== "";
  }

  async #removeContainer(id: number): Promise<void> {
    await this.powerOff(id);
    await dockerUnless(notThere, "rm", "--force", "--volumes", this.#names.server(id));
    await dockerUnless(/no such volume/i, "volume", "rm", "--force", this.#names.disk(id));
    await this.#volumes.deleteDisk(id);
  }

  /** Writes the seed files for cloud-init. */
  #seed(spec: MachineSpec): string {
    const folder = join(this.#folder(spec.id), "seed");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { cloudServices, authorityFile } = this.#options;
    const { edge, registry } = cloudServices;
    const names = this.#names;
    const cloud = {
      nameServer: names.fromServer(edge.address),
      registry: names.fromServer(registry.address),
      range: names.fromServer(names.cloudRange),
      authority: readFileSync(authorityFile, "utf8"),
    };
    for (const [name, text] of Object.entries(seedFiles(spec, cloud)))
      writeFileSync(join(folder, name), text, { mode: 0o600 });
    return folder;
  }

  #folder(id: number): string {
    return join(this.#options.folder, "servers", String(id));
  }

  #require(id: number): Known {
    const known = this.#known.get(id);
    if (!known) throw new Error(`server ${id} has no machine`);
    return known;
  }
}

/** Whether this host's Docker Engine lacks CAP_SYS_RESOURCE, as in some nested containers. */
function engineIsLimited(): boolean {
  const pid = existsSync("/var/run/docker.pid") ? readFileSync("/var/run/docker.pid", "utf8").trim() : "self";
  const [, bounding = "0"] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  const sysResource = 24n;
  return ((BigInt(`0x${bounding}`) >> sysResource) & 1n) === 0n;
}
