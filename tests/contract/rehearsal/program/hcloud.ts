/** Every resource type of the hcloud plugin that the emulated API serves; `v2` changes what can be changed. */
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

const v2 = new pulumi.Config().getBoolean("v2") ?? false;
const labels = { stack: "probe", ...(v2 && { round: "2" }) };
const location = "fsn1";

const key = new tls.PrivateKey("key", { algorithm: "ED25519" });
const sshKey = new hcloud.SshKey("probe", {
  name: v2 ? "probe-2" : "probe",
  publicKey: key.publicKeyOpenssh.apply((text) => text.trim()),
  labels,
});
const group = new hcloud.PlacementGroup("probe", { name: "probe", type: "spread", labels });
const network = new hcloud.Network("probe", { name: "probe", ipRange: "10.20.0.0/16", labels });
const subnet = new hcloud.NetworkSubnet("probe", {
  networkId: network.id.apply(Number),
  type: "cloud",
  networkZone: "eu-central",
  ipRange: "10.20.1.0/24",
});
new hcloud.NetworkRoute(
  "probe",
  { networkId: network.id.apply(Number), destination: "10.99.0.0/16", gateway: "10.20.1.2" },
  { dependsOn: [subnet] },
);
const firewall = new hcloud.Firewall("probe", {
  name: "probe",
  labels,
  rules: [
    { direction: "in", protocol: "tcp", port: "22", sourceIps: ["0.0.0.0/0", "::/0"], description: "ssh" },
    ...(v2 ? [{ direction: "in", protocol: "tcp", port: "80-85", sourceIps: ["10.0.0.0/8"] }] : []),
    { direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0"] },
    { direction: "out", protocol: "udp", port: "53", destinationIps: ["0.0.0.0/0"] },
  ],
});
const address = new hcloud.PrimaryIp("probe", {
  name: "probe",
  type: "ipv4",
  autoDelete: false,
  location,
  labels,
});
const server = new hcloud.Server("probe", {
  name: v2 ? "probe-renamed" : "probe",
  serverType: v2 ? "cx33" : "cx23",
  keepDisk: true,
  image: "debian-12",
  location,
  sshKeys: [sshKey.id],
  userData: "#cloud-config\n{}\n",
  labels,
  backups: v2,
  deleteProtection: false,
  rebuildProtection: false,
  placementGroupId: group.id.apply(Number),
  firewallIds: [firewall.id.apply(Number)],
  publicNets: [{ ipv4Enabled: true, ipv4: address.id.apply(Number), ipv6Enabled: true }],
  shutdownBeforeDeletion: true,
});
const place = new hcloud.ServerNetwork("probe", {
  serverId: server.id.apply(Number),
  subnetId: subnet.id,
  ip: "10.20.1.10",
  aliasIps: v2 ? ["10.20.1.11", "10.20.1.12"] : ["10.20.1.11"],
});
const internal = new hcloud.Server(
  "internal",
  {
    name: "internal",
    serverType: "cx23",
    image: "debian-12",
    location,
    sshKeys: [sshKey.id],
    labels: { ...labels, role: "app" },
    publicNets: [{ ipv4Enabled: false, ipv6Enabled: false }],
    networks: [{ networkId: network.id.apply(Number), ip: "10.20.1.20", aliasIps: [] }],
  },
  { dependsOn: [subnet] },
);
new hcloud.FirewallAttachment("probe", {
  firewallId: new hcloud.Firewall("attached", {
    name: "attached",
    rules: [{ direction: "in", protocol: "tcp", port: "443", sourceIps: ["0.0.0.0/0"] }],
  }).id.apply(Number),
  // Not a server of this program: the plugin shows what is attached elsewhere as a change of the server.
  labelSelectors: v2 ? ["role=none", "role in (other)"] : ["role=none"],
});
const volume = new hcloud.Volume("probe", {
  name: "probe",
  size: v2 ? 20 : 10,
  location,
  format: "ext4",
  labels,
  deleteProtection: new pulumi.Config().getBoolean("protect") ?? false,
});
new hcloud.VolumeAttachment("probe", {
  volumeId: volume.id.apply(Number),
  serverId: server.id.apply(Number),
  automount: true,
});
new hcloud.Rdns("server", {
  serverId: server.id.apply(Number),
  ipAddress: server.ipv4Address,
  dnsPtr: v2 ? "two.example.com" : "one.example.com",
});
const floating = new hcloud.FloatingIp("probe", {
  name: "probe",
  type: "ipv4",
  homeLocation: location,
  description: v2 ? "second" : "first",
  labels,
});
new hcloud.FloatingIpAssignment("probe", {
  floatingIpId: floating.id.apply(Number),
  serverId: server.id.apply(Number),
});

const own = new tls.SelfSignedCert("probe", {
  privateKeyPem: key.privateKeyPem,
  validityPeriodHours: 24,
  dnsNames: ["probe.example.com"],
  allowedUses: ["server_auth"],
});
const certificate = new hcloud.UploadedCertificate("probe", {
  name: "probe",
  certificate: own.certPem,
  privateKey: key.privateKeyPem,
  labels,
});
const balancer = new hcloud.LoadBalancer("probe", {
  name: "probe",
  loadBalancerType: v2 ? "lb21" : "lb11",
  location,
  labels,
  algorithm: { type: v2 ? "least_connections" : "round_robin" },
});
const balancerId = balancer.id.apply(Number);
const balancerPlace = new hcloud.LoadBalancerNetwork("probe", {
  loadBalancerId: balancerId,
  subnetId: subnet.id,
  ip: "10.20.1.5",
});
new hcloud.LoadBalancerService("http", {
  loadBalancerId: balancer.id,
  protocol: "http",
  listenPort: 80,
  destinationPort: 8080,
  proxyprotocol: true,
  http: { stickySessions: v2, cookieName: "PROBE" },
  healthCheck: {
    protocol: "http",
    port: 8080,
    interval: v2 ? 5 : 10,
    timeout: 3,
    retries: 2,
    http: { path: "/health", statusCodes: ["200"] },
  },
});
new hcloud.LoadBalancerService("https", {
  loadBalancerId: balancer.id,
  protocol: "https",
  listenPort: 443,
  destinationPort: 8080,
  http: { certificates: [certificate.id.apply(Number)], redirectHttp: false },
});
new hcloud.LoadBalancerService("tcp", {
  loadBalancerId: balancer.id,
  protocol: "tcp",
  listenPort: 5432,
  destinationPort: 5432,
});
new hcloud.LoadBalancerTarget(
  "server",
  { type: "server", loadBalancerId: balancerId, serverId: server.id.apply(Number), usePrivateIp: true },
  { dependsOn: [balancerPlace, place] },
);
new hcloud.LoadBalancerTarget(
  "labels",
  { type: "label_selector", loadBalancerId: balancerId, labelSelector: "role=app", usePrivateIp: true },
  { dependsOn: [balancerPlace, internal] },
);

export const types = pulumi
  .all([
    hcloud.getLocation({ name: location }),
    hcloud.getServerType({ name: "cx23" }),
    hcloud.getImage({ name: "debian-12", withArchitecture: "x86" }),
    hcloud.getLoadBalancerType({ name: "lb11" }),
    hcloud.getServerTypes({}),
  ])
  .apply(([place, type, image, balancerType, all]) => [
    place.networkZone,
    type.cores,
    image.osFlavor,
    balancerType.maxServices,
    all.serverTypes.length > 3,
  ]);
