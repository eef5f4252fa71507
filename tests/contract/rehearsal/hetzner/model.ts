/** What a cloud has to be like after what it acknowledged: changed by hand for each operation, and nothing else. */
import { interfacesOf, publicAddress } from "../../../../rehearsal/hetzner/server-links.ts";
import type { Host } from "../support/host.ts";
import type { HetznerApi } from "../support/hetzner.ts";

export interface ModelServer {
  on: boolean;
  /** Whether it brought its addresses along. */
  own: boolean;
  networks: Set<number>;
}
export interface ModelVolume {
  sizeGb: number;
  server: number | undefined;
}
export interface ModelBalancer {
  network: number | undefined;
  /** Servers, and whether they are reached at their private addresses. */
  targets: Map<number, boolean>;
}

export class Model {
  readonly servers = new Map<number, ModelServer>();
  readonly volumes = new Map<number, ModelVolume>();
  readonly networks = new Set<number>();
  readonly balancers = new Map<number, ModelBalancer>();
  /** Primary IPs that were made alone, and who has them. */
  readonly addresses = new Map<number, { server: number | undefined }>();
  readonly floating = new Map<number, { server: number | undefined }>();

  deleteServer(id: number): void {
    this.servers.delete(id);
    for (const all of [this.volumes, this.addresses, this.floating]) {
      for (const one of all.values()) if (one.server === id) one.server = undefined;
    }
    for (const { targets } of this.balancers.values()) targets.delete(id);
  }

  /** Everything is detached from it. */
  deleteNetwork(id: number): void {
    this.networks.delete(id);
    for (const { networks } of this.servers.values()) networks.delete(id);
    for (const one of this.balancers.values()) if (one.network === id) one.network = undefined;
  }

  /** Whether a load balancer reaches a target in a network. */
  isInUse(network: number): boolean {
    return [...this.balancers.values()].some(
      (one) => one.network === network && [...one.targets.values()].includes(true),
    );
  }

  hasPublicAddress(server: number): boolean {
    const own = this.servers.get(server)?.own ?? false;
    return own || [...this.addresses.values()].some((one) => one.server === server);
  }

  isTarget(server: number, privately: boolean): boolean {
    return [...this.balancers.values()].some(({ targets }) => targets.get(server) === privately);
  }
}

const sorted = <T>(rows: Iterable<readonly [number, T]>): [number, T][] =>
  [...rows].map(([id, value]): [number, T] => [id, value]).sort(([a], [b]) => a - b);
const byId = <T extends { readonly id: number }, U>(rows: readonly T[], of: (row: T) => U): [number, U][] =>
  sorted(rows.map((row): [number, U] => [row.id, of(row)]));
const numbers = (set: Iterable<number>): number[] => [...set].sort((a, b) => a - b);

/** Holds the cloud, and the host behind it, against the model; nothing may be under way. */
export function expectSame(model: Model, api: HetznerApi, host: Host): void {
  const { store } = api;
  const servers = store.list("hetzner.server");
  expect({
    servers: byId(servers, (one) => [one.status, numbers(one.networks.map(({ network }) => network))]),
    volumes: byId(store.list("hetzner.volume"), (one) => [one.sizeGb, one.server]),
    networks: numbers(store.list("hetzner.network").map(({ id }) => id)),
    balancers: byId(store.list("hetzner.load_balancer"), ({ network, targets }) => [
      network?.id,
      sorted(targets.map(({ server = 0, usePrivateIp }) => [server, usePrivateIp])),
    ]),
    floating: byId(store.list("hetzner.floating_ip"), ({ server }) => server),
  }).toEqual({
    servers: sorted(model.servers).map(([id, one]) => [id, [one.on ? "running" : "off", numbers(one.networks)]]),
    volumes: sorted(model.volumes).map(([id, one]) => [id, [one.sizeGb, one.server]]),
    networks: numbers(model.networks),
    balancers: sorted(model.balancers).map(([id, one]) => [id, [one.network, sorted(one.targets)]]),
    floating: sorted(model.floating).map(([id, { server }]) => [id, server]),
  });
  expectAddresses(model, api);
  expectHost(model, api, host);
  expect(store.list("hetzner.action").filter(({ status: state }) => state === "running")).toEqual([]);
  expect([store.list("hetzner.removal"), store.list("hetzner.failure"), api.failures]).toEqual([[], [], []]);
}

/** No address twice, and none that nobody asked for. */
function expectAddresses(model: Model, { store }: HetznerApi): void {
  const primary = store.list("hetzner.primary_ip");
  const own = [...model.servers].flatMap(([id, one]) => (one.own ? [id, id] : []));
  const alone = [...model.addresses].map(([id, { server }]) => [id, server]);
  expect(primary.filter(({ autoDelete }) => !autoDelete).map(({ id, server }) => [id, server])).toEqual(alone);
  expect(numbers(primary.filter(({ autoDelete }) => autoDelete).map(({ server = 0 }) => server))).toEqual(numbers(own));
  const inNetworks = [
    ...store
      .list("hetzner.server")
      .flatMap(({ networks }) =>
        networks.flatMap(({ network, ip, aliasIps }) => [ip, ...aliasIps].map((one) => `${network} ${one}`)),
      ),
    ...store.list("hetzner.load_balancer").flatMap(({ network }) => (network ? [`${network.id} ${network.ip}`] : [])),
  ];
  const all = [
    ...[...primary, ...store.list("hetzner.floating_ip")].map(({ ip }) => ip),
    ...store.list("hetzner.load_balancer").flatMap(({ ip, ipv6 }) => [ip, ipv6]),
    ...inNetworks,
  ];
  expect(all.filter((one, index) => all.indexOf(one) !== index)).toEqual([]);
}

/** Exactly the machines that the cloud shows, in its networks, at its addresses, with its Volumes. */
function expectHost(model: Model, { store, cloud }: HetznerApi, host: Host): void {
  expect(sorted([...host.machines].map(([id, one]) => [id, [one.running, one.publicAddress, one.interfaces]]))).toEqual(
    byId(store.list("hetzner.server"), (server) => [
      server.on,
      publicAddress(cloud, server.id),
      interfacesOf(cloud, server),
    ]),
  );
  expect(sorted([...host.volumes].map(([id, one]) => [id, [one.sizeGb, one.server]]))).toEqual(
    sorted([...model.volumes].map(([id, one]) => [id, [one.sizeGb, one.server]])),
  );
  expect(numbers(host.networks.keys())).toEqual(numbers(model.networks));
  expect(numbers(host.balancers.keys())).toEqual(numbers(model.balancers.keys()));
  for (const [id, { targets }] of model.balancers) {
    const reached = [...targets].flatMap(([server, privately]) => {
      const { network } = store.get("hetzner.load_balancer", id) ?? {};
      const place = store.get("hetzner.server", server)?.networks.find((one) => one.network === network?.id);
      const address = privately ? place?.ip : publicAddress(cloud, server);
      return address === undefined ? [] : [{ name: `server-${server}`, address }];
    });
    const told = host.balancers.get(id)?.targets ?? [];
    expect([id, [...told].sort((a, b) => a.name.localeCompare(b.name))]).toEqual([
      id,
      reached.sort((a, b) => a.name.localeCompare(b.name)),
    ]);
  }
}
