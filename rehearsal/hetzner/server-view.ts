/** The API representation of a server, with the observed power state of its machine. */
import type { Json } from "../json.ts";
import type { Cloud } from "./cloud.ts";
import { powerOf } from "./converge.ts";
import { dnsPtrOf } from "./dns-ptr.ts";
import { placementGroupView } from "./placement-groups.ts";
import { addressesOf, balancersOf, firewallsOf } from "./server-links.ts";
import type { Server } from "./state.ts";

/** The first address of an IPv6 range, which servers configure for themselves. */
export const firstAddress6 = (range: string): string => range.replace(/\/64$/, "1");

/** Updates a server's status when its machine was shut down from inside, killed or started without an API call. */
export async function observeServer(cloud: Cloud, { id, status }: Server): Promise<void> {
  const isAtRest = () => !cloud.actions.isBusy({ id, type: "server" });
  if (!isAtRest() || !["running", "off"].includes(status)) return;
  const on = await cloud.machines.isRunning(id);
  if (on !== (status === "running") && isAtRest() && cloud.store.get("hetzner.server", id)?.status === status) {
    cloud.change("hetzner.server", id, () => powerOf(on));
  }
}

export function serverView(cloud: Cloud, server: Server): Json {
  const { catalogue, store } = cloud;
  const type = catalogue.serverTypes.find(({ name }) => name === server.type);
  const image = catalogue.images.find(({ id }) => id === server.image);
  const iso = catalogue.isos.find(({ id }) => id === server.iso);
  const addresses = addressesOf(cloud, server.id);
  const v4 = addresses.find((one) => one.type === "ipv4");
  const v6 = addresses.find((one) => one.type === "ipv6");
  const group = store.get("hetzner.placement_group", server.placementGroup ?? "");
  const subject = { id: server.id, type: "server" };
  return {
    id: server.id,
    name: server.name,
    status: server.status,
    created: server.created,
    public_net: {
      ipv4: v4 ? { id: v4.id, ip: v4.ip, blocked: false, dns_ptr: dnsPtrOf(v4)[0]?.["dns_ptr"] } : null,
      ipv6: v6 ? { id: v6.id, ip: v6.ip, blocked: false, dns_ptr: dnsPtrOf(v6) } : null,
      floating_ips: store.list("hetzner.floating_ip").flatMap((one) => (one.server === server.id ? [one.id] : [])),
      firewalls: firewallsOf(cloud, server).map(({ id }) => ({ id, status: "applied" })),
    },
    private_net: server.networks.map(({ network, ip, aliasIps }) => ({
      network,
      ip,
      alias_ips: aliasIps,
      mac_address: macOf(server.id, network),
    })),
    server_type: type ? catalogue.serverType(type, cloud.unavailable(type.name)) : null,
    ...catalogue.locationFields(server.location),
    image: image ? catalogue.image(image) : null,
    iso: iso ? catalogue.iso(iso) : null,
    rescue_enabled: server.rescue,
    locked: cloud.actions.isBusy(subject),
    backup_window: server.backups ? "22-02" : null,
    outgoing_traffic: 0,
    ingoing_traffic: 0,
    included_traffic: type ? catalogue.trafficOf(type, server.location) : 0,
    primary_disk_size: server.diskGb,
    protection: server.protection,
    labels: server.labels,
    volumes: store.list("hetzner.volume").flatMap((one) => (one.server === server.id ? [one.id] : [])),
    load_balancers: balancersOf(cloud, server).map(({ id }) => id),
    placement_group: group ? placementGroupView(cloud, group) : null,
  };
}

/** A locally administered address that stays the same for a server in a network. */
export function macOf(server: number, network: number): string {
  const hex = (server.toString(16).padStart(6, "0") + network.toString(16).padStart(4, "0")).slice(-10);
  return `86:${hex.match(/../g)?.join(":") ?? ""}`;
}
