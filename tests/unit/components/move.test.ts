/** From one server to several: what the engine is asked for before and after, resource by resource. */
import type { Phase } from "../../../config/schema.ts";
import { stackOf } from "../policy/support.ts";
import { mockAddress, type Recorded } from "../support/compose.ts";
import { sharedGraph } from "../support/graphs.ts";
import { named } from "../support/runtime.ts";

const production = async (phase: Phase, values = {}): Promise<readonly Recorded[]> => {
  const { resources } = await sharedGraph(stackOf(phase, values));
  return resources;
};
let [mvp, scale]: (readonly Recorded[])[] = [];
beforeAll(async () => {
  [mvp, scale] = [await production("mvp"), await production("scale")];
});
const before = () => mvp ?? [];
const after = () => scale ?? [];
const key = ({ type, name }: Recorded) => `${type.split(":").pop() ?? ""} ${name}`;
const find = (resources: readonly Recorded[], one: Recorded) => resources.find((other) => key(other) === key(one));

const containing = (text: string): unknown => expect.arrayContaining([text]);

/** As text, without what the engine does not look at, and without the label that says the phase. */
function lasting({ inputs, options }: Recorded): string {
  const seen = Object.entries(inputs).filter(([name]) => !options.ignoreChanges?.includes(name));
  return JSON.stringify({ inputs: Object.fromEntries(seen), options }).replaceAll(/"phase":"\w+"/g, '"phase":""');
}

test("what holds data stays exactly as it is, but for the label that says the phase", () => {
  const holders = before().filter(
    ({ type, name }) =>
      /^(hcloud:index\/(server|volume|volumeAttachment|network|primaryIp)|cloudflare:index\/r2|random:)/.test(type) ||
      /^(database|cache|broker)-(server|data|password|tls)/.test(name),
  );
  expect(holders.length).toBeGreaterThan(15);
  for (const one of holders) {
    const kept = find(after(), one);
    expect([key(one), kept && lasting(kept)]).toEqual([key(one), lasting(one)]);
  }
});

test("what goes is what visitors and tasks do not need any more: the edge, the apps, the workers, the open ports", () => {
  const gone = before().filter((one) => !find(after(), one) && !/:Container(Limits|Ready)$/.test(one.type));
  expect(gone.map(key).sort()).toEqual([
    "AppTier app-core-1",
    "CloudFirewall web",
    "Container app-core-1-1",
    "Container app-core-1-2",
    "Container edge-core-1-nginx",
    "Container worker-core-1-default",
    "Container worker-core-1-emails",
    "Container worker-core-1-imports",
    "Container worker-core-1-reports",
    "EdgeProxy edge-core-1",
    "Firewall web-firewall",
    "FirewallAttachment web-firewall-attachment",
    "HostFiles edge-core-1-drain",
    "LiveFiles edge-core-1-config",
    "RemoteImage core-1-image-nginx",
    "RemoteImage core-1-image-postgres",
    "RemoteImage core-1-image-rclone",
    "Volume edge-core-1-files",
    "WorkerTier worker-core-1",
  ]);
});

test("visitors are sent to the load balancer, by the record that there was, once it answers", () => {
  const content = (resources: readonly Recorded[]) =>
    named(resources, "hostname-orion.example.com-record").inputs["content"];
  const balancer = mockAddress("balancer-nbg1-balancer");
  expect([content(before()), content(after())]).toEqual([mockAddress("core-1-ip"), balancer]);
  expect(named(after(), "hostname-orion.example.com-record").options.dependencies).toContain(
    "orion:index:HttpsReady balancer-nbg1-ready",
  );
  expect(named(after(), "balancer-nbg1-ready")).toMatchObject({
    inputs: { address: balancer, port: 443, behind: ["app-nbg1-1", "app-hel1-1"], inARow: 6 },
    options: {
      dependencies: containing("hcloud:index/loadBalancerTarget:LoadBalancerTarget balancer-nbg1-target-app-hel1-1"),
    },
  });
});

test("a load balancer is changed by one resource after the other: Hetzner refuses two changes at once", () => {
  const parts = after().filter(({ type }) => /loadBalancer(Network|Service|Target)/.test(type));
  expect(parts).toHaveLength(5);
  const waits = parts.map(({ options }) =>
    (options.dependencies ?? []).filter((one) => /loadBalancer(Network|Service|Target)/.test(one)),
  );
  expect(waits.map(({ length }) => length).sort()).toEqual([0, 1, 1, 1, 1]);
  expect(new Set(waits.flat()).size).toBe(4);
});

test("a target gets nothing any more before its edge goes, and what is under way has its time", () => {
  expect(named(after(), "balancer-nbg1-target-app-nbg1-1").options.dependencies).toContain(
    "orion:index:DrainDelay balancer-nbg1-drain-app-nbg1-1",
  );
  expect(named(after(), "balancer-nbg1-drain-app-nbg1-1")).toMatchObject({
    inputs: { atRemovalSeconds: 10 },
    options: { dependencies: containing("docker:index/container:Container edge-app-nbg1-1-nginx") },
  });
});

test("an edge that goes lets its apps end first, and those of no other stack", () => {
  const { inputs, options } = named(before(), "edge-core-1-drain");
  expect(inputs["removal"]).toEqual([
    ...["sh", "-c"],
    "docker ps --quiet --filter label=app=orion --filter label=stack=prod --filter label=role=app | xargs -r docker stop --time 35",
  ]);
  expect(options.dependencies).toContain("docker:index/container:Container edge-core-1-nginx");
});

test("Beat is the same thing on another server, so that the old one is gone before the new one comes", () => {
  for (const resources of [before(), after()]) {
    expect(named(resources, "workers-beat").options.deleteBeforeReplace).toBe(true);
  }
  expect(named(after(), "workers-beat").options.provider).toBe("pulumi:providers:docker worker-nbg1-1-docker");
});

test("everything in Docker goes away with the server that it is on", () => {
  const inDocker = after().filter(({ type }) =>
    /^(docker:|orion:index:(Task|LiveFiles|HostFiles|HostReady))/.test(type),
  );
  expect(inDocker.length).toBeGreaterThan(50);
  for (const one of inDocker) {
    const server = /^hcloud:index\/server:Server (.+)-server$/.exec(one.options.deletedWith ?? "")?.[1];
    expect([key(one), server]).toEqual([key(one), expect.any(String)]);
    if (one.options.provider !== undefined)
      expect(one.options.provider).toBe(`pulumi:providers:docker ${server ?? ""}-docker`);
  }
});

test("nothing is published to everybody; the load balancer alone reaches the edges", () => {
  const ports = after().flatMap(({ inputs }) => (inputs["ports"] ?? []) as { ip: string }[]);
  expect(ports.length).toBeGreaterThan(8);
  expect(ports.filter(({ ip }) => !/^(10\.20\.1\.|127\.0\.0\.1$)/.test(ip))).toEqual([]);
  const rules = JSON.stringify(named(after(), "app-nbg1-1-peers").inputs["files"]);
  expect(rules).toContain("--src-range 10.20.1.5-10.20.1.5 -m tcp --dport 443 -j RETURN");
  expect(rules.match(/--src-range \S+/g)).toEqual(Array(3).fill("--src-range 10.20.1.5-10.20.1.5"));
});

test("the app reaches its data through the gateway of its server; backups are taken from the replica", () => {
  const { inputs } = named(after(), "app-nbg1-1-1");
  const environment = JSON.stringify(inputs["envs"]);
  for (const url of [
    "DATABASE_URL=postgresql://orion_app_a:generated-database-roles-app-password@gateway:5432/orion_db",
    "DATABASE_REPLICA_URL=postgresql://orion_reader:generated-database-roles-reader-password@gateway:5433/orion_db",
    "DATABASE_DIRECT_URL=postgresql://orion_app_a:generated-database-roles-app-password@gateway:5434/orion_db",
    "REDIS_URL=redis://app:generated-cache-app-password@gateway:6379/0",
    "CELERY_BROKER_URL=redis://app:generated-broker-app-password@gateway:6380/1",
  ])
    expect(environment).toContain(url);
  expect(environment).not.toContain("10.20.1.");
  expect(JSON.stringify(named(after(), "backup-files").inputs)).toContain(
    "PGSSLMODE=verify-full\\nPGSSLROOTCERT=/etc/orion/ca.crt\\nPGCHANNELBINDING=require\\nPGHOST=10.20.1.22\\nPGPORT=5432\\nPGUSER=orion_backup",
  );
  expect(JSON.stringify(named(before(), "app-core-1-1").inputs["envs"])).not.toContain("DATABASE_REPLICA_URL");
});

test("the release does not know the replica's password: the replica would not let it in", () => {
  const environment = JSON.stringify(named(after(), "release-migrate").inputs["environment"]);
  expect(environment).toContain("orion_migrator");
  expect(environment).not.toContain("DATABASE_REPLICA_URL");
});

test("without a replica there is one server less, and nothing refers to it", async () => {
  const resources = await production("scale", { database: { availability: "single" } });
  expect(resources.filter(({ name }) => /^replica|db-2/.test(name))).toEqual([]);
  expect(JSON.stringify(named(resources, "gateway-app-nbg1-1-config").inputs)).not.toContain("replica-1");
  expect(JSON.stringify(named(resources, "backup-files").inputs)).toContain("PGHOST=10.20.1.11");
});
