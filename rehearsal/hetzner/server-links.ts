/** Relations of a server to addresses, networks, firewalls and load balancers; removes a deleted server from all of them. */
import type { NetworkInterface } from "../machines/machines.ts";
import type { Cloud } from "./cloud.ts";
import { labelSelector } from "./listing.ts";
import type { Balancer, Firewall, PrimaryIp, Server } from "./state.ts";

export function addressesOf({ store }: Cloud, server: number): PrimaryIp[] {
  return store.list("hetzner.primary_ip").filter((one) => one.server === server);
}

/** The public IPv4 address of a server. */
export function publicAddress(cloud: Cloud, server: number): string | undefined {
  return addressesOf(cloud, server).find(({ type }) => type === "ipv4")?.ip;
}

export function interfacesOf(cloud: Cloud, server: Server): NetworkInterface[] {
  return server.networks.map(({ network, ip, aliasIps }) => ({
    networkId: network,
    range: cloud.require("hetzner.network", network).range,
    address: ip,
    aliasAddresses: aliasIps,
  }));
}

/** Whether a firewall applies to a server. */
export const covers = ({ servers, selectors }: Firewall, { id, labels }: Server): boolean =>
  servers.includes(id) || selectors.some((one) => labelSelector(one)(labels));

export function firewallsOf({ store }: Cloud, server: Server): Firewall[] {
  return store.list("hetzner.firewall").filter((one) => covers(one, server));
}

/** Load balancers that have a server as a target. */
export function balancersOf({ store }: Cloud, { id, labels }: Server): Balancer[] {
  return store
    .list("hetzner.load_balancer")
    .filter(({ targets }) =>
      targets.some((one) => one.server === id || (one.selector !== undefined && labelSelector(one.selector)(labels))),
    );
}

/** Removes a deleted server from all resources that refer to it. */
export function forgetServer(cloud: Cloud, id: number): void {
  const { store } = cloud;
  store.transaction(() => {
    store.delete("hetzner.server", id);
    for (const one of addressesOf(cloud, id)) {
      if (one.autoDelete) store.delete("hetzner.primary_ip", one.id);
      else store.put("hetzner.primary_ip", one.id, { ...one, server: undefined });
    }
    for (const one of store.list("hetzner.floating_ip").filter(({ server }) => server === id)) {
      store.put("hetzner.floating_ip", one.id, { ...one, server: undefined });
    }
    for (const one of store.list("hetzner.volume").filter(({ server }) => server === id)) {
      store.put("hetzner.volume", one.id, { ...one, server: undefined });
    }
    for (const one of store.list("hetzner.firewall").filter(({ servers }) => servers.includes(id))) {
      store.put("hetzner.firewall", one.id, { ...one, servers: one.servers.filter((server) => server !== id) });
    }
    for (const one of store
      .list("hetzner.load_balancer")
      .filter(({ targets }) => targets.some((t) => t.server === id))) {
      store.put("hetzner.load_balancer", one.id, { ...one, targets: one.targets.filter((t) => t.server !== id) });
    }
  });
}
