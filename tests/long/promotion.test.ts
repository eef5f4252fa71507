/** A live platform that moves from one server to several, and what happens when one of those is gone. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startLoad } from "../../../testing/load.ts";
import { expectLossless } from "../../../testing/lossless.ts";
import { RehearsalCloud } from "../../../testing/cloud.ts";
import { eventually } from "../../../testing/eventually.ts";
import { RehearsedPlatform } from "../../../testing/platform.ts";
import { drillPromotion } from "../../../testing/promotion-drill.ts";
import { succeed } from "../../../testing/sandbox.ts";
import { serversOf } from "../../../testing/servers.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(900_000);

const url = "https://orion.example.com";
const cloud = new RehearsalCloud(root, { name: "scale", block: 82, port: 8486, machines: "docker" });

const { on, query, identity, health, power } = serversOf(cloud);

beforeAll(() => {
  cloud.rehearse("mvp");
});

afterAll(() => {
  cloud.dispose();
});

test("the move under load, cut off in the middle and done again: no request fails, no order is lost, and what holds data goes on as if nothing had been", async () => {
  const before = await identity();
  expect(before).toHaveLength(4);
  const load = startLoad(root, cloud.settings, url);
  const update = new RehearsedPlatform(root, cloud).start("rehearse", "PHASE=scale", "BLOCK=82", "PORT=8486");
  await update.said(/balancer-1\S* creating/);
  await sleep(Math.random() * 30_000);
  expect(await update.kill()).toBe(true);
  const report = cloud.rehearse("scale");
  const seen = await load.stop();
  expect(report).toContain("is up in phase scale");
  expect(seen.failures).toEqual([]);
  expectLossless(seen);
  expect(await identity()).toEqual(before);
  // Nothing else is left there.
  expect(await on("core-1", "docker", "ps", "--format", "{{.Names}}")).toHaveLength(3);
});

test("the load balancer finds every target well, and strangers are turned away at the edges", async () => {
  await eventually(async () => {
    expect(await health()).toEqual(Array(4).fill("healthy"));
  });
  const [balancer] = (await cloud.status()).balancers;
  const options = ["--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}"];
  const at = ["--resolve", `orion.example.com:443:${balancer?.address ?? ""}`];
  expect(spawnSync("curl", [...options, ...at, `${url}/`], { encoding: "utf8" }).stdout).toBe("403");
});

test("the replica follows, has the same rows, and takes no writes", async () => {
  expect(await query("core-1", "database", "SELECT state FROM pg_stat_replication")).toEqual(["streaming"]);
  const rows = "SELECT count(*), sum(hashtext(o::text)) FROM orders AS o";
  const primary = await query("core-1", "database", rows);
  await eventually(async () => {
    expect(await query("db-2", "replica-1", rows)).toEqual(primary);
  });
  expect(await query("db-2", "replica-1", "SELECT pg_is_in_recovery()")).toEqual(["t"]);
});

test("done again, it changes nothing; every component is well, and a backup is taken from the replica", () => {
  expect(cloud.rehearse("scale")).toMatch(/Resources:\n +\d+ unchanged\n/);
  succeed(cloud.runMake("backup", ["REHEARSAL=1"]));
  const checked = succeed(cloud.runMake("doctor", ["REHEARSAL=1"]));
  expect(checked).toMatch(/^ok +backup +1 complete, the newest 0 h old$/m);
  expect(checked).toContain("All of 'prod' is well.");
});

test("an app server that is gone costs nothing once the load balancer has noticed, and no order", async () => {
  const load = startLoad(root, cloud.settings, url);
  await power("app-2", "poweroff");
  const off = Date.now();
  await eventually(async () => {
    expect((await health()).filter((status) => status === "healthy")).toHaveLength(2);
  });
  const noticed = Date.now();
  expect((noticed - off) / 1000).toBeLessThan(30);
  await sleep(20_000);
  const seen = await load.stop();
  expect(seen.failures.filter(({ began }) => Date.parse(began) > noticed)).toEqual([]);
  expectLossless(seen);
  await power("app-2", "poweron");
  await eventually(async () => {
    expect(await health()).toEqual(Array(4).fill("healthy"));
  }, 180);
});

test("a worker server that is switched off under load: the task of every order is run all the same", async () => {
  const load = startLoad(root, cloud.settings, url);
  await sleep(5000);
  await power("worker-1", "poweroff");
  await sleep(5000);
  await power("worker-1", "poweron");
  const seen = await load.stop();
  expect(seen.failures).toEqual([]);
  expectLossless(seen);
});

// The last one: it leaves a platform without core-1.
describe("core-1 is lost", () => {
  drillPromotion(root, cloud);
});
