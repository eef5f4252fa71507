import { goldenGraph } from "../../../../testing/golden.ts";
import { findObject, isInCloud, spares } from "../../../../tools/recovery/cloud-objects.ts";
import { leftPlugins, isRunningEngine } from "../../../../tools/recovery/left-plugins.ts";
import { orphansOf } from "../../../../tools/recovery/orphans.ts";
import { isHalfMade } from "../../../../tools/recovery/recover.ts";
import { lockIsAlive } from "../../../../tools/recovery/state-lock.ts";

const operation = (type: string, resourceType: string, name?: string) => ({
  type,
  resource: { urn: "urn", type: resourceType, inputs: name === undefined ? {} : { name } },
});

test("orphans are containers and networks that were being made; never a volume", () => {
  const operations = [
    operation("creating", "docker:index/container:Container", "orion-dev-app-1"),
    operation("creating", "docker:index/network:Network", "orion-dev-network"),
    operation("creating", "docker:index/volume:Volume", "orion-dev-database-data"),
    operation("deleting", "docker:index/container:Container", "orion-dev-cache"),
    operation("creating", "docker:index/container:Container"),
  ];
  expect(orphansOf(operations)).toEqual([
    { kind: "container", name: "orion-dev-app-1" },
    { kind: "network", name: "orion-dev-network" },
  ]);
});

describe("a lock", () => {
  const lock = { pid: 4711, username: "me", hostname: "here", timestamp: "2026-11-24T12:00:00Z" };

  test("of another machine may be alive: nothing can be known", () => {
    expect(lockIsAlive(lock, "there", () => false)).toBe(true);
  });

  test("of this machine is as alive as its process", () => {
    expect(lockIsAlive(lock, "here", (pid) => pid === 4711)).toBe(true);
    expect(lockIsAlive(lock, "here", () => false)).toBe(false);
  });

  test.each([
    ["4711 (pulumi) S 1 4711 4711 0", true],
    ["4711 (pulumi) Z 1 4711 4711 0", false],
    ["4711 (postgres) S 1 4711 4711 0", false],
    ["", false],
  ])("whose process is %j runs: %s", (stat, runs) => {
    expect(isRunningEngine(stat)).toBe(runs);
  });
});

test("plugins that are left are those of the project whose parent is no engine that runs", () => {
  const running = "7 (pulumi) S 1 7 7 0";
  const plugin = { pid: 1, folder: "/project", command: ["resource-docker", "127.0.0.1:4000"], parentStat: "" };
  const others = [
    { ...plugin, parentStat: running },
    { ...plugin, folder: "/elsewhere" },
    { ...plugin, command: ["make", "up"] },
    { ...plugin, command: [] },
  ];
  const dead = { ...plugin, parentStat: "7 (pulumi) Z 1 7 7 0" };
  expect(leftPlugins([plugin, ...others, dead], "/project")).toEqual([plugin, dead]);
});

test("cloud resources whose creation failed half-way are refreshed; containers are created again instead", () => {
  const initErrors = ["a 503"];
  expect(isHalfMade({ type: "hcloud:index/networkSubnet:NetworkSubnet", initErrors })).toBe(true);
  expect(isHalfMade({ type: "cloudflare:index/ruleset:Ruleset", initErrors })).toBe(true);
  expect(isHalfMade({ type: "docker:index/container:Container", initErrors })).toBe(false);
  expect(isHalfMade({ type: "hcloud:index/networkSubnet:NetworkSubnet" })).toBe(false);
});

/** What the providers take for theirs when it is there already: they ask for a state, or understand the refusal. */
const takenForTheirs = [
  ...["botManagement:BotManagement", "zoneSetting:ZoneSetting"],
  "authenticatedOriginPullsSettings:AuthenticatedOriginPullsSettings",
  ...["r2BucketCors:R2BucketCors", "r2BucketLifecycle:R2BucketLifecycle"],
  "r2BucketLock:R2BucketLock",
  ...["firewallAttachment:FirewallAttachment", "loadBalancerNetwork:LoadBalancerNetwork"],
  "loadBalancerTarget:LoadBalancerTarget",
];

test.each(["prod", "scale"])(
  "of everything that stack %s makes in a cloud it is known what a second try does",
  (name) => {
    const made = goldenGraph(`graph-${name}`).map(({ type }) => type);
    const types = [...new Set(made)].filter((type) => /^(hcloud|cloudflare):/.test(type));
    expect(types.length).toBeGreaterThan(10);
    const isKnown = (type: string) =>
      isInCloud(type) || type in spares || takenForTheirs.includes(type.replace(/.*\//, ""));
    expect(types.filter((type) => !isKnown(type))).toEqual([]);
  },
);

describe("what was made in a cloud", () => {
  const labels = { app: "orion", stack: "prod", role: "core-1", phase: "mvp" };
  const bodies: Readonly<Record<string, unknown>> = {
    "/servers?name=orion-prod-core-1": { servers: [{ id: 4, labels }] },
    "/volumes?name=orion-prod-core-1": { volumes: [{ id: 5, labels: { ...labels, stack: "other" } }] },
    "/networks?name=orion-prod-network": { networks: [] },
    "/networks/2": { network: { subnets: [{ ip_range: "10.20.1.0/24" }] } },
    "/servers/4": { server: { private_net: [{ network: 2 }] } },
    "/volumes/5": { volume: { server: 4 } },
    "/load_balancers/6": { load_balancer: { services: [{ listen_port: 80 }] } },
    "/zones/z/dns_records?name=orion.example.com&type=A": {
      result: [
        { id: "theirs", name: "orion.example.com", type: "A", content: "192.0.2.7" },
        { id: "ours", name: "orion.example.com", type: "A", content: "192.0.2.1" },
      ],
    },
    "/zones/z/rulesets": {
      result: [{ id: "r", phase: "http_request_cache_settings", kind: "zone", name: "orion cache" }],
    },
    "/accounts/a/r2/buckets/files": { result: { name: "files" } },
  };
  const get = (path: string) => Promise.resolve(bodies[path]);
  const find = (type: string, inputs: Readonly<Record<string, unknown>>) =>
    findObject(type, inputs, { hetzner: get, cloudflare: get });

  test.each([
    ["hcloud:index/server:Server", { name: "orion-prod-core-1", labels }, "4"],
    ["hcloud:index/network:Network", { name: "orion-prod-network", labels }, undefined],
    ["hcloud:index/networkSubnet:NetworkSubnet", { networkId: 2, ipRange: "10.20.1.0/24" }, "2-10.20.1.0/24"],
    ["hcloud:index/networkSubnet:NetworkSubnet", { networkId: 2, ipRange: "10.20.2.0/24" }, undefined],
    ["hcloud:index/networkSubnet:NetworkSubnet", { networkId: 3, ipRange: "10.20.1.0/24" }, undefined],
    ["hcloud:index/serverNetwork:ServerNetwork", { serverId: 4, subnetId: "2-10.20.1.0/24" }, "4-2"],
    ["hcloud:index/serverNetwork:ServerNetwork", { serverId: 4, subnetId: "3-10.20.1.0/24" }, undefined],
    ["hcloud:index/volumeAttachment:VolumeAttachment", { volumeId: 5, serverId: 4 }, "5"],
    ["hcloud:index/volumeAttachment:VolumeAttachment", { volumeId: 5, serverId: 6 }, undefined],
    ["hcloud:index/loadBalancerService:LoadBalancerService", { loadBalancerId: "6", listenPort: 80 }, "6__80"],
    ["hcloud:index/loadBalancerService:LoadBalancerService", { loadBalancerId: "6", listenPort: 443 }, undefined],
    [
      "cloudflare:index/dnsRecord:DnsRecord",
      { zoneId: "z", name: "orion.example.com", type: "A", content: "192.0.2.1" },
      "ours",
    ],
    [
      "cloudflare:index/ruleset:Ruleset",
      { zoneId: "z", phase: "http_request_cache_settings", kind: "zone", name: "orion cache" },
      "r",
    ],
    ["cloudflare:index/r2Bucket:R2Bucket", { accountId: "a", name: "files" }, "files"],
    ["cloudflare:index/r2Bucket:R2Bucket", { accountId: "a", name: "others" }, undefined],
  ])("%s of %j is %s", async (type, inputs, id) => {
    expect(isInCloud(type)).toBe(true);
    expect(await find(type, inputs)).toBe(id);
  });

  test("what has the name but is another stack's is not taken over", async () => {
    expect(await find("hcloud:index/volume:Volume", { name: "orion-prod-core-1", labels })).toBeUndefined();
  });

  test("what can be made twice is not looked for", async () => {
    expect(await find("random:index/randomPassword:RandomPassword", {})).toBeUndefined();
    expect(isInCloud("docker:index/volume:Volume")).toBe(false);
  });
});
