/** What goes wrong with the production stack on one server: power, containers, disks, APIs, updates that are cut off. */
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RehearsalCloud } from "../../../testing/cloud.ts";
import { eventually } from "../../../testing/eventually.ts";
import { hostState } from "../../../testing/host.ts";
import { type LoadReport } from "../../../testing/load.ts";
import { brokenSays, RehearsedPlatform } from "../../../testing/platform.ts";
import { succeed } from "../../../testing/sandbox.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(900_000);

const own = { name: "faults", block: 83 };
const before = hostState(own);
const cloud = new RehearsalCloud(root, { ...own, port: 8830, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);

/** The load goes on while something happens, and a little longer. */
async function underLoad(happens: () => Promise<void> | void): Promise<LoadReport> {
  const load = platform.load();
  await sleep(2000);
  try {
    await happens();
    await sleep(1000);
  } finally {
    // Read also when it failed: a load must not go on.
    await load.stop();
  }
  return load.stop();
}

/** Whatever failed meanwhile: an order that was acknowledged is there once, and its task has been run. */
function expectNothingLost({ ledger, answered }: LoadReport): void {
  expect(ledger).toMatchObject({ lost: [], doubled: [], unconfirmed: [] });
  expect(ledger.acknowledged).toBe(answered["order"]);
  expect(ledger.acknowledged).toBeGreaterThan(0);
}

const whyOf = ({ failures }: LoadReport): string[] => [...new Set(failures.map(({ what, why }) => `${what}: ${why}`))];

afterAll(() => {
  cloud.dispose();
});

test("the first update comes through although it is killed and both APIs refuse calls", async () => {
  cloud.up();
  // What was made at once is noted at once; what takes a while can be cut off in the middle.
  await cloud.fault({ kind: "action", seconds: 2, times: 12 });
  for (const api of ["hetzner", "cloudflare"]) {
    await cloud.fault({ kind: "reply", api, status: 429, rate: 0.2, times: 30 });
    await cloud.fault({ kind: "reply", api, status: 503, rate: 0.1, times: 2 });
  }
  const update = platform.start("rehearse", "PHASE=mvp", "BLOCK=83", "PORT=8830");
  await update.said(/core-1-server creating/);
  await sleep(Math.random() * 2000);
  await update.kill();

  const tries = [1, 2, 3, 4, 5, 6, 7];
  for (const round of tries) {
    const { code, output } = cloud.runMake("rehearse", ["PHASE=mvp", "BLOCK=83", "PORT=8830"]);
    if (code === 0) break;
    // It is said what went wrong, and where.
    expect(output).toMatch(/error:[^]*a fault of the rehearsal/);
    expect(round).toBeLessThan(tries.length);
  }
  await cloud.call("DELETE", "/rehearsal/faults");
  expect(await cloud.status()).toMatchObject({ servers: [{ volumes: ["orion-prod-core-1"] }] });
  for (const kind of ["servers", "volumes", "networks", "primary_ips", "firewalls", "placement_groups", "ssh_keys"]) {
    // The closed firewall, and the one that lets visitors in.
    expect(await cloud.list(`/${kind}`, kind)).toHaveLength(kind === "firewalls" ? 2 : 1);
  }
  expect(cloud.rehearse("mvp")).toMatch(/Resources:\n +\d+ unchanged\n/);
});

test("a server that loses its power comes back by itself, with its Volume, and no order is lost", async () => {
  // Docker must not think that a container whose files were changed is not to come back.
  platform.configure("edge.bodyLimitMb", "40");
  succeed(platform.update());
  const report = await underLoad(async () => {
    await platform.cutPower();
    await platform.ready();
    await platform.healthy();
  });
  expectNothingLost(report);
  expect(report.failures.length).toBeGreaterThan(0);

  expect(platform.on("findmnt", "--noheadings", "--output", "SOURCE", "/mnt/orion-data")).toMatch(/HC_Volume_\d+/);
  const started = (unit: string) =>
    Number(platform.on("systemctl", "show", "--value", "--property", "ActiveEnterTimestampMonotonic", unit));
  expect(started("orion-volume.service")).toBeGreaterThan(0);
  expect(started("orion-volume.service")).toBeLessThan(started("docker.service"));
  // Below the mount, on the server's own disk, lies nothing.
  const below = "mkdir -p /tmp/disk && mount --bind / /tmp/disk && ls -A /tmp/disk/mnt/orion-data && umount /tmp/disk";
  expect(platform.on("sh", "-c", below)).toBe("");
});

test("every container that is killed comes back by itself, and only what it does fails meanwhile", async () => {
  const kills: { service: string; from: string }[] = [];
  const report = await underLoad(async () => {
    for (const service of platform.services()) {
      kills.push({ service, from: new Date().toISOString() });
      await platform.kill(service);
      await platform.healthy(service);
      await platform.ready();
    }
  });
  expectNothingLost(report);
  const failed = kills.map(({ service, from }, index) => {
    const to = kills[index + 1]?.from ?? "9";
    return { service, failures: report.failures.filter(({ time }) => time >= from && time < to) };
  });
  const needed = ["database", "edge-1"];
  for (const { service, failures } of failed.filter((one) => !needed.includes(one.service))) {
    // What an instance of the app had in its hands, requests and WebSockets, goes with it.
    const most = service.startsWith("app-") ? 6 : 0;
    expect({ service, why: failures.slice(most) }).toEqual({ service, why: [] });
  }
});

test("a full Volume refuses orders and says so; with room again the platform goes on by itself", async () => {
  const rows = "SELECT 'filler-' || n, 'lamp', 1, 'someone@example.com' FROM generate_series(1, 20000) n";
  const report = await underLoad(async () => {
    const empty = await platform.fillVolume();
    // What the table has room for within its pages is soon used up; this uses it up at once, and fails.
    const fill = `INSERT INTO orders (reference, item, quantity, email) ${rows}`;
    try {
      expect(() => platform.on("docker", "exec", "orion-prod-database", "psql", "-c", fill)).toThrow(/No space left/);
      await eventually(async () => {
        expect(await platform.order()).toBe(503);
      });
      const { code, output } = cloud.runMake("doctor", ["REHEARSAL=1"]);
      expect(code).not.toBe(0);
      expect(output).toMatch(/PROBLEM +volume of core-1 +100% used/);
      expect(output).toMatch(/volume of core-1: .*full.*\n +do: .*database\.volumeGb/);
    } finally {
      await empty();
    }
    await platform.ready();
  });
  expectNothingLost(report);
  expect(whyOf(report)).toEqual(['order: POST /orders: 503 instead of 201: {"detail":"database unavailable"}']);
  expect(succeed(cloud.runMake("doctor", ["REHEARSAL=1"]))).toContain("All of 'prod' is well.");
});

test("an update that is killed under load is taken up by the next one, and fails no request", async () => {
  const report = await underLoad(async () => {
    platform.configure("app.environment.ROUND", "second");
    const update = platform.start("up", "REHEARSAL=1", "YES=1");
    await update.said(/app-app-1 creating/);
    await sleep(Math.random() * 8000);
    expect(await update.kill()).toBe(true);
    succeed(platform.update());
    await platform.healthy();
  });
  expect(report.failures).toEqual([]);
  expectNothingLost(report);
  expect(new Set(platform.services()).size).toBe(platform.services().length);
});

test("a version that does not get healthy never gets a request, and the old one stays", async () => {
  const report = await underLoad(async () => {
    await platform.useBrokenImage();
    const { code, output } = platform.update();
    expect(code).not.toBe(0);
    expect(output).toContain(brokenSays);
    await platform.ready();
    platform.useUsualImage();
    // A version of its own: at the switch to it the edge knows the new instances from the old ones.
    platform.configure("app.environment.ROUND", "third");
    succeed(platform.update());
    await platform.healthy();
  });
  expect(report.failures).toEqual([]);
  expectNothingLost(report);
});

test("it goes with its cloud", () => {
  cloud.down();
  expect(hostState(own)).toEqual(before);
});
