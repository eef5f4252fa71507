/** The API representation of a load balancer, with the health of its targets. */
import type { Json } from "../json.ts";
import type { Health } from "../machines/machines.ts";
import { serversOf, targetName } from "./balancer-spec.ts";
import type { Cloud } from "./cloud.ts";
import type { Balancer, BalancerTarget } from "./state.ts";

const terabyte = 1_099_511_627_776;

export async function balancerView(cloud: Cloud, balancer: Balancer): Promise<Json> {
  const { catalogue } = cloud;
  const type = catalogue.balancerTypes.find(({ id }) => id === balancer.type);
  const health = balancer.targets.length > 0 ? await cloud.machines.balancerHealth(balancer.id) : {};
  return {
    id: balancer.id,
    name: balancer.name,
    public_net: {
      enabled: balancer.publicInterface,
      ipv4: { ip: balancer.ip, dns_ptr: balancer.dnsPtr[balancer.ip] ?? null },
      ipv6: { ip: balancer.ipv6, dns_ptr: balancer.dnsPtr[balancer.ipv6] ?? null },
    },
    private_net: balancer.network ? [{ network: balancer.network.id, ip: balancer.network.ip }] : [],
    location: catalogue.find(catalogue.locations, balancer.location),
    load_balancer_type: type ? catalogue.balancerType(type) : null,
    protection: balancer.protection,
    labels: balancer.labels,
    created: balancer.created,
    services: balancer.services,
    targets: balancer.targets.map((target) => targetView(cloud, balancer, target, health)),
    algorithm: { type: balancer.algorithm },
    included_traffic: 20 * terabyte,
    outgoing_traffic: 0,
    ingoing_traffic: 0,
  };
}

function targetView(
  cloud: Cloud,
  balancer: Balancer,
  target: BalancerTarget,
  health: Readonly<Record<string, Health>>,
): Json {
  const healthOf = (name: string) =>
    balancer.services.map(({ listen_port: port }) => ({
      listen_port: port,
      status: health[`${name}:${port}`] ?? "unknown",
    }));
  const { usePrivateIp } = target;
  const serverView = (id: number): Json => ({
    type: "server",
    server: { id },
    health_status: healthOf(targetName.server(id)),
    use_private_ip: usePrivateIp,
  });
  if (target.ip !== undefined) {
    return { type: "ip", ip: { ip: target.ip }, health_status: healthOf(targetName.ip(target.ip)) };
  }
  if (target.server !== undefined) return serverView(target.server);
  return {
    type: "label_selector",
    label_selector: { selector: target.selector },
    use_private_ip: usePrivateIp,
    targets: serversOf(cloud, target).map(({ id }) => serverView(id)),
  };
}
