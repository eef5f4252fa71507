/** The Hetzner resources of a plan, as bench/terraform/main.tf makes them: the same names, settings and dependencies. */
import { readFileSync } from "node:fs";
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import type { Needs } from "./needs.ts";

const config = new pulumi.Config();
const { servers, balancers } = JSON.parse(readFileSync(config.require("needs"), "utf8")) as Needs;

const numberOf = (resource: pulumi.CustomResource): pulumi.Output<number> => resource.id.apply(Number);
function got<Value>(made: ReadonlyMap<string, Value>, name: string): Value {
  const found = made.get(name);
  if (found === undefined) throw new Error(`${name} is not made`);
  return found;
}

const sshKey = new hcloud.SshKey("bench", { name: "bench", publicKey: config.require("publicKey") });
const network = new hcloud.Network("bench", { name: "bench", ipRange: "10.20.0.0/16" });
const subnet = new hcloud.NetworkSubnet("bench", {
  networkId: numberOf(network),
  type: "cloud",
  networkZone: "eu-central",
  ipRange: "10.20.0.0/16",
});
const firewall = new hcloud.Firewall("bench", {
  name: "bench",
  rules: [{ direction: "in", protocol: "tcp", port: "22", sourceIps: ["0.0.0.0/0"] }],
});
const groups = new Map(
  [...new Set(servers.map(({ group }) => group))].map((name) => [
    name,
    new hcloud.PlacementGroup(name, { name, type: "spread" }),
  ]),
);
const attached: pulumi.Resource[] = [];
const machines = new Map(
  servers.map(({ name, type, location, address, group, volume }) => {
    const ip = new hcloud.PrimaryIp(name, { name, type: "ipv4", location, autoDelete: false });
    const server = new hcloud.Server(name, {
      ...{ name, serverType: type, image: "debian-12", location },
      sshKeys: [sshKey.id],
      firewallIds: [numberOf(firewall)],
      placementGroupId: numberOf(got(groups, group)),
      publicNets: [{ ipv4: numberOf(ip), ipv6Enabled: false }],
    });
    attached.push(new hcloud.ServerNetwork(name, { serverId: numberOf(server), subnetId: subnet.id, ip: address }));
    if (volume > 0) {
      const disk = new hcloud.Volume(name, { name, size: volume, location, format: "ext4" });
      new hcloud.VolumeAttachment(name, { volumeId: numberOf(disk), serverId: numberOf(server) });
    }
    return [name, server] as const;
  }),
);
for (const { name, location, address, targets } of balancers) {
  const balancer = new hcloud.LoadBalancer(name, { name, loadBalancerType: "lb11", location });
  const loadBalancerId = numberOf(balancer);
  const own = new hcloud.LoadBalancerNetwork(name, { loadBalancerId, subnetId: subnet.id, ip: address });
  for (const target of targets) {
    new hcloud.LoadBalancerTarget(
      `${name}-${target}`,
      { type: "server", loadBalancerId, serverId: numberOf(got(machines, target)), usePrivateIp: true },
      { dependsOn: [own, ...attached] },
    );
  }
  for (const port of [80, 443]) {
    new hcloud.LoadBalancerService(`${name}-${port}`, {
      ...{ loadBalancerId: balancer.id, protocol: "tcp", listenPort: port, destinationPort: port },
    });
  }
}
