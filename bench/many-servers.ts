/** Pulumi program for the benchmark of the rehearsal cloud: `count` servers in a private network, ten per placement group. */
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const count = config.requireNumber("count");
const inGroup = 10;

const sshKey = new hcloud.SshKey("many", { name: "many", publicKey: config.require("publicKey") });
const network = new hcloud.Network("many", { name: "many", ipRange: "10.20.0.0/16" });
const subnet = new hcloud.NetworkSubnet("many", {
  networkId: network.id.apply(Number),
  type: "cloud",
  networkZone: "eu-central",
  ipRange: "10.20.0.0/16",
});
const firewall = new hcloud.Firewall("many", {
  name: "many",
  rules: [{ direction: "in", protocol: "tcp", port: "22", sourceIps: ["0.0.0.0/0"] }],
});
const groups = Array.from(
  { length: Math.ceil(count / inGroup) },
  (_, index) => new hcloud.PlacementGroup(`many-${index}`, { name: `many-${index}`, type: "spread" }),
);
for (let index = 0; index < count; index++) {
  const name = `many-${index}`;
  const group = groups[Math.floor(index / inGroup)];
  const server = new hcloud.Server(name, {
    name,
    serverType: "cx23",
    image: "debian-12",
    location: "fsn1",
    sshKeys: [sshKey.id],
    firewallIds: [firewall.id.apply(Number)],
    ...(group && { placementGroupId: group.id.apply(Number) }),
    publicNets: [{ ipv4Enabled: true, ipv6Enabled: false }],
  });
  new hcloud.ServerNetwork(name, {
    serverId: server.id.apply(Number),
    subnetId: subnet.id,
    ip: `10.20.${1 + Math.floor(index / 200)}.${(index % 200) + 10}`,
  });
}
