/**
 * Phase enterprise on a rehearsed platform: from scale under load, what happens there when a Redis is lost, and back to one server in
 * one step. The first test that fails ends the way; the rest is skipped.
 *
 * @jest-environment <rootDir>/testing/ends-at-failure.js
 */
import { resolve } from "node:path";
import { presets } from "../../config/presets.ts";
import { CloudClient } from "../../rehearsal/cloud/client.ts";
import { succeed } from "../../testing/sandbox.ts";
import { SentinelDrill } from "../../testing/sentinel-drill.ts";
import { poolerConsole } from "../../topology/services/pgbouncer.ts";
import { servicesOf } from "../../topology/topology.ts";
import { Journey } from "../e2e/rehearsal/journey/journey.ts";
import { expectAsPlanned } from "../e2e/rehearsal/journey/scale.ts";

jest.setTimeout(1_800_000);

const own = { name: "enterpri", block: 87, port: 8870 } as const;
const journey = new Journey(resolve(__dirname, "..", ".."), own);
const { cloud, platform, servers } = journey;

afterAll(() => {
  cloud.dispose();
});

describe("phase enterprise", () => {
  test("from scale under load: no request fails, and containers with data stay the same", async () => {
    journey.rehearse("scale");
    const before = await servers.identity();
    await journey.unnoticed(() => {
      journey.rehearse("enterprise");
    });
    expect(await servers.identity()).toEqual(before);
    await expectAsPlanned(journey);
  });

  test("run again it changes nothing, and doctor finds no problem", () => {
    journey.rehearseAgain("enterprise");
    journey.expectWellAfterFaults();
  });

  test("the servers have the types of the plan, and the file systems the size of the Volumes", async () => {
    const types = (await servers.all()).map(({ name, type }) => [name, type]);
    expect(Object.fromEntries(types)).toEqual(
      Object.fromEntries(cloud.plan.servers.map(({ name, types: [first] }) => [name, first])),
    );
    for (const { server, volumeGb } of withVolume(journey)) {
      const [, size = ""] = await servers.on(server, "df", "--output=size", "-BG", "/mnt/orion-data");
      expect([server, parseInt(size, 10) > volumeGb * 0.9]).toEqual([server, true]);
    }
  });

  test("the apps of every server reach PostgreSQL through the PgBouncer beside them", async () => {
    const appServers = new Set(servicesOf(cloud.plan, "app").map(({ server }) => server));
    const poolers = servicesOf(cloud.plan, "pgbouncer").filter(({ server, reads }) => !reads && appServers.has(server));
    expect(poolers).toHaveLength(appServers.size);
    for (const { server, container } of poolers) {
      const shown = ["-A", "-t", "-F", " ", "-c", "SHOW CLIENTS"];
      const clients = await servers.on(server, "docker", "exec", container, ...poolerConsole.split(" "), ...shown);
      expect([container, clients.some((client) => client.startsWith("C orion_app"))]).toEqual([container, true]);
    }
  });

  test("the master of the broker is killed under load: another one takes over, and the task of every order is run", async () => {
    const { seconds, changes } = await lost(journey);
    expect(changes).toBe(1);
    expect(seconds).toBeLessThan(60);
    journey.expectWellAfterFaults();
  });

  test("a Volume does not shrink, and a replica is not given up while it is protected", async () => {
    // As the zone's owner does at Cloudflare.
    await new CloudClient(cloud.settings).choosePlan("example.com", presets.mvp.cloudflare.plan);
    platform.configure("phase", "mvp");
    expect(platform.update()).toEqual({ code: 2, output: expect.stringContaining("database.volumeGb") as string });
    platform.configure("database.volumeGb", String(presets.enterprise.database.volumeGb));
    expect(platform.update()).toEqual({ code: 2, output: expect.stringContaining("protect") as string });
  });

  test("the move back under load: no request fails, and containers with data stay the same", async () => {
    platform.configure("protection", "false");
    platform.configure("phase", "enterprise");
    platform.configure("cloudflare.plan", "free");
    succeed(platform.update());
    const before = await journey.servers.identity();
    platform.configure("phase", "mvp");
    await journey.unnoticed(() => {
      succeed(platform.update());
    });
    expect(await journey.servers.identity()).toEqual(before);
    await expectAsPlanned(journey);
  });

  test("nothing of several servers is left, and doctor finds no problem", async () => {
    const { servers: left, balancers } = await cloud.status();
    expect([left.map(({ name }) => name), balancers]).toEqual([
      journey.cloud.plan.servers.map(({ name }) => `orion-prod-${name}`),
      [],
    ]);
    journey.expectWellAfterFaults();
  });

  test("every order of the way is there", () => journey.expectAllOrders());
});

const withVolume = ({ cloud }: Journey) =>
  cloud.plan.servers.flatMap(({ name, volumeGb }) => (volumeGb > 0 ? [{ server: name, volumeGb }] : []));

async function lost(journey: Journey) {
  const drill = new SentinelDrill(journey.cloud);
  let outcome: Awaited<ReturnType<SentinelDrill["lose"]>> | undefined;
  await journey.underLoad(async () => {
    outcome = await drill.lose("broker", "kill");
  });
  if (!outcome) throw new Error("the drill had no outcome");
  return outcome;
}
