/** Brings machines to the state in the store: after a change, and for work that a crash interrupted. */
import type { MachineSpec } from "../machines/machines.ts";
import { keyOf, type Subject } from "./actions.ts";
import { specOf } from "./balancer-spec.ts";
import type { Cloud } from "./cloud.ts";
import { balancersOf, firewallsOf, forgetServer, interfacesOf, publicAddress } from "./server-links.ts";
import type { Server } from "./state.ts";

function machineSpec(cloud: Cloud, server: Server): MachineSpec {
  const type = cloud.catalogue.serverTypes.find(({ name }) => name === server.type);
  const image = cloud.catalogue.images.find(({ id }) => id === server.image);
  if (!type || !image) throw new Error(`server ${server.id} has a type or an image that is not in the catalogue`);
  return {
    id: server.id,
    name: server.name,
    publicAddress: publicAddress(cloud, server.id),
    image: image.name,
    userData: server.userData,
    sshKeys: server.sshKeys,
    rootPassword: server.rootPassword,
    cores: type.cores,
    memoryGb: type.memory,
    instanceId: `${server.id}-${server.instance}`,
  };
}

/** Converges everything of one server: machine, addresses, firewalls, Volumes, power. */
export async function convergeServer(cloud: Cloud, id: number): Promise<void> {
  const { machines, store } = cloud;
  const server = store.get("hetzner.server", id);
  if (server === undefined || server.status === "deleting") {
    await machines.delete(id);
    const balancers = server ? balancersOf(cloud, server) : [];
    if (server) forgetServer(cloud, id);
    for (const balancer of balancers) await convergeBalancer(cloud, balancer.id);
    return;
  }
  await machines.create(machineSpec(cloud, server), false);
  await machines.setNetworks(id, interfacesOf(cloud, server));
  await convergeFirewalls(cloud, id);
  for (const volume of store.list("hetzner.volume").filter((one) => one.server === id)) {
    await machines.attachVolume(volume.id, id, volume.automount);
  }
  await convergePower(cloud, id);
  await convergeBalancersOf(cloud, id);
}

/** Applies the rules of all firewalls of a server. Queued per server, since every firewall's change ends up here. */
export function convergeFirewalls(cloud: Cloud, id: number): Promise<void> {
  return cloud.actions.enqueue({ id, type: "server_firewall" }, async () => {
    const server = cloud.store.get("hetzner.server", id);
    if (!server) return;
    const firewalls = firewallsOf(cloud, server);
    const rules = firewalls.flatMap((firewall) =>
      firewall.rules.map(({ direction, protocol, port, source_ips, destination_ips }) => ({
        direction,
        protocol,
        port: port === "any" ? "1-65535" : (port ?? undefined),
        addresses: direction === "in" ? source_ips : destination_ips,
      })),
    );
    await cloud.machines.setFirewall(id, firewalls.length === 0 ? undefined : rules);
  });
}

/** Stored fields of a server whose machine is on or off. */
export const powerOf = (on: boolean) => ({ on, status: on ? ("running" as const) : ("off" as const) });

/** Converges the power state only, and updates the server's status. */
export async function convergePower(cloud: Cloud, id: number): Promise<void> {
  const { on } = cloud.require("hetzner.server", id);
  await (on ? cloud.machines.powerOn(id) : cloud.machines.powerOff(id));
  cloud.change("hetzner.server", id, (now) => powerOf(now.on));
}

/** Runs work on a server. If it fails, the server gets the status of its machine instead of staying in a transition. */
export async function syncPowerOnFailure(cloud: Cloud, id: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const on = await cloud.machines.isRunning(id);
    const status = cloud.store.get("hetzner.server", id)?.status;
    // A deletion continues at the next start.
    if (status !== undefined && status !== "deleting") cloud.change("hetzner.server", id, () => powerOf(on));
    throw error;
  }
}

export async function convergeVolume(cloud: Cloud, id: number): Promise<void> {
  const { machines, store } = cloud;
  const volume = store.get("hetzner.volume", id);
  if (volume === undefined) {
    await machines.deleteVolume(id);
    return;
  }
  await machines.createVolume({ id, sizeGb: volume.sizeGb, format: volume.format });
  await machines.resizeVolume(id, volume.sizeGb);
  for (const { id: server } of store.list("hetzner.server")) {
    if (server === volume.server) await machines.attachVolume(id, server, volume.automount);
    else await machines.detachVolume(id, server);
  }
}

export async function convergeNetwork(cloud: Cloud, id: number): Promise<void> {
  const network = cloud.store.get("hetzner.network", id);
  await (network ? cloud.machines.createNetwork(id, network.range) : cloud.machines.deleteNetwork(id));
}

/** Attaches a server's machine to the networks that the server is in, after all other work on the server. */
export function convergeNetworksOf(cloud: Cloud, id: number): Promise<void> {
  return cloud.actions.enqueue({ id, type: "server" }, async () => {
    const server = cloud.store.get("hetzner.server", id);
    if (server && server.status !== "deleting") await cloud.machines.setNetworks(id, interfacesOf(cloud, server));
  });
}

/** Applies a load balancer's configuration. Queued, because changes of servers also end up here and the newest must win. */
export function convergeBalancer(cloud: Cloud, id: number): Promise<void> {
  return cloud.actions.enqueue({ id, type: "balancer_machine" }, () => {
    const balancer = cloud.store.get("hetzner.load_balancer", id);
    return balancer ? cloud.machines.setBalancer(specOf(cloud, balancer)) : cloud.machines.deleteBalancer(id);
  });
}

/** Converges every load balancer that has a server as a target, or may select it by label. */
export async function convergeBalancersOf(cloud: Cloud, server: number): Promise<void> {
  for (const balancer of cloud.store.list("hetzner.load_balancer")) {
    const concerns = balancer.targets.some((target) => target.type === "label_selector" || target.server === server);
    if (concerns) await convergeBalancer(cloud, balancer.id);
  }
}

const byType: Readonly<Record<string, (cloud: Cloud, id: number) => Promise<void>>> = {
  server: convergeServer,
  volume: convergeVolume,
  network: convergeNetwork,
  load_balancer: convergeBalancer,
};

/** Resumes work that was interrupted when the emulator ended. Resolves when everything except running actions is done. */
export async function recover(cloud: Cloud): Promise<void> {
  const { store, actions } = cloud;
  const once = new Map<string, Promise<void>>();
  /** Converges each resource once, and a Volume after the server that it is attached to. */
  const converge = ({ id, type }: Subject): Promise<void> => {
    const work = async (): Promise<void> => {
      const server = type === "volume" ? store.get("hetzner.volume", id)?.server : undefined;
      if (server !== undefined) await converge({ id: server, type: "server" });
      await byType[type]?.(cloud, id);
    };
    const known = once.get(keyOf({ id, type })) ?? work();
    once.set(keyOf({ id, type }), known);
    return known;
  };
  const inBackground = (subject: Subject) => cloud.background(subject, () => converge(subject));

  // Networks and Volumes first, because servers use them.
  for (const { id } of store.list("hetzner.network")) await inBackground({ id, type: "network" });
  for (const { id, sizeGb, format } of store.list("hetzner.volume")) {
    await cloud.background({ id, type: "volume" }, () => cloud.machines.createVolume({ id, sizeGb, format }));
  }
  const removed = store.list("hetzner.removal");
  const finish = async (subjects: readonly Subject[]) => {
    for (const subject of subjects) await cloud.finishRemoval(subject, () => converge(subject));
  };
  await finish(removed.filter(({ type }) => type !== "network"));
  const interrupted = actions.resume(async ({ resources }) => {
    for (const subject of resources) {
      const work = () => converge(subject);
      await (subject.type === "server" ? syncPowerOnFailure(cloud, subject.id, work) : work());
    }
  });
  const busy = new Set(interrupted.flatMap(({ resources }) => resources.map(keyOf)));
  const idle = store.list("hetzner.server").filter(({ id }) => !busy.has(keyOf({ id, type: "server" })));
  // A machine that stopped while the emulator did not run, for example by a reboot of the host, is started again.
  await Promise.all(idle.map(({ id }) => inBackground({ id, type: "server" })));
  for (const { id } of store.list("hetzner.load_balancer")) await inBackground({ id, type: "load_balancer" });
  // What was in them is in them no more.
  await finish(removed.filter(({ type }) => type === "network"));
}
