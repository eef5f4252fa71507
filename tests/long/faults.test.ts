/**
 * What goes wrong with the production stack on one server and takes long: the first update among APIs that refuse calls, each
 * container killed, a version that does not start. The shorter faults are part of the journey.
 */
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RehearsalCloud } from "../../testing/cloud.ts";
import { remainsOf } from "../../testing/cloud-remains.ts";
import { underLoad } from "../../testing/lossless.ts";
import { brokenMessage, RehearsedPlatform } from "../../testing/platform.ts";
import { succeed } from "../../testing/sandbox.ts";

const root = resolve(__dirname, "..", "..");
jest.setTimeout(900_000);

const own = { name: "faults", block: 83 };
const before = remainsOf(own);
const cloud = new RehearsalCloud(root, { ...own, port: 8830, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);

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
  await update.printed(/Server \S+ creating/);
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

test("every killed container is restarted, and only its own work fails meanwhile", async () => {
  const kills: { service: string; from: string }[] = [];
  const report = await underLoad(platform, async () => {
    for (const service of platform.services()) {
      kills.push({ service, from: new Date().toISOString() });
      await platform.kill(service);
      await platform.healthy(service);
      await platform.ready();
    }
  });
  const failed = kills.map(({ service, from }, index) => {
    const to = kills[index + 1]?.from ?? "9";
    return { service, failures: report.failures.filter(({ time }) => time >= from && time < to) };
  });
  const kinds = new Map(cloud.plan.services.map(({ name, kind }) => [name, kind]));
  for (const { service, failures } of failed) {
    const kind = kinds.get(service);
    if (kind === "database" || kind === "edge") continue;
    // What an instance of the app had in its hands, requests and WebSockets, goes with it.
    const most = kind === "app" ? 6 : 0;
    expect({ service, why: failures.slice(most) }).toEqual({ service, why: [] });
  }
});

test("a version that does not get healthy never gets a request, and the old one stays", async () => {
  const report = await underLoad(platform, async () => {
    await platform.useBrokenImage();
    const { code, output } = platform.update();
    expect(code).not.toBe(0);
    expect(output).toContain(brokenMessage);
    await platform.ready();
    platform.useUsualImage();
    // A version of its own: at the switch to it the edge knows the new instances from the old ones.
    platform.configure("app.environment.ROUND", "third");
    succeed(platform.update());
    await platform.healthy();
  });
  expect(report.failures).toEqual([]);
});

test("it goes with its cloud", () => {
  cloud.down();
  expect(remainsOf(own)).toEqual(before);
});
