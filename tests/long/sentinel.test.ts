/**
 * Redis with Sentinel on a rehearsed platform: phase scale gets it under load without a restart, its masters are lost in every
 * way, and every acknowledged order gets its task. `make bench-sentinel` measures the losses, each of them five times.
 */
import { resolve } from "node:path";
import { RehearsalCloud } from "../../testing/cloud.ts";
import { underLoad } from "../../testing/lossless.ts";
import { RehearsedPlatform } from "../../testing/platform.ts";
import { succeed } from "../../testing/sandbox.ts";
import { groups, losses, type Outcome, SentinelDrill } from "../../testing/sentinel-drill.ts";
import { serversOf } from "../../testing/servers.ts";

const root = resolve(__dirname, "..", "..");
jest.setTimeout(3_600_000);

const cloud = new RehearsalCloud(root, { name: "sentinel", block: 93, port: 9300, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const drill = new SentinelDrill(cloud);

afterAll(() => {
  cloud.dispose();
});

test("phase scale gets Sentinel under load: nothing restarts, and nothing fails", async () => {
  cloud.rehearse("scale");
  const before = await serversOf(cloud).identity();
  const report = await underLoad(platform, () => {
    platform.configure("cache.availability", "sentinel");
    succeed(platform.update());
  });
  expect(report.failures).toEqual([]);
  expect(await serversOf(cloud).identity()).toEqual(before);
  expect(succeed(cloud.runMake("doctor", ["REHEARSAL=1"]))).toContain("All of 'prod' is well.");
});

const cases = groups.flatMap((group) => losses.map((loss) => [group, loss] as const));

test.each(cases)("the master of the %s is lost by %s, and at no time two take writes", async (group, loss) => {
  let outcome: Outcome | undefined;
  await underLoad(platform, async () => {
    outcome = await drill.lose(group, loss);
  });
  expect(outcome).toMatchObject({ changes: 1 });
});

test("an update after all that changes nothing", () => {
  expect(succeed(platform.update())).toMatch(/Resources:\n +\d+ unchanged\n/);
});
