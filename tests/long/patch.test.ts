/** `make patch` on a rehearsed platform: packages with Docker, reboots, and an image of PostgreSQL, under load. */
import { resolve } from "node:path";
import { archiveScript } from "../../testing/apt-archive.ts";
import { RehearsalCloud } from "../../testing/cloud.ts";
import { documented } from "../../testing/documented.ts";
import { expectLossless } from "../../testing/lossless.ts";
import { RehearsedPlatform } from "../../testing/platform.ts";
import { buildImage } from "../../testing/docker-image.ts";
import { docker, succeed } from "../../testing/sandbox.ts";
import { serversOf } from "../../testing/servers.ts";
import { baseImage } from "../../config/images.ts";
import { ownImage } from "../../images/own.ts";
import { CloudClient } from "../../rehearsal/cloud/client.ts";
import { rehearsalFolder } from "../../rehearsal/cloud/settings.ts";
import { Engines } from "../../tools/engines.ts";
import { readStackFile } from "../../tools/stack-file.ts";

const root = resolve(__dirname, "..", "..");
jest.setTimeout(1_800_000);

const own = { name: "patch", block: 87 };
const cloud = new RehearsalCloud(root, { ...own, port: 8487, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const { query } = serversOf(cloud);

const feed = (server: string, script: string): string => {
  const folder = rehearsalFolder(root, own.name, "prod");
  const { code = 1, output } = new Engines(folder, readStackFile(folder, "prod"))
    .of({ server })
    .feedOnHost(script, "sh", "-s");
  return succeed({ code, output });
};
const patch = (...variables: string[]) =>
  cloud.runDocumented(documented("make patch STACK=prod"), ["YES=1", ...variables]);
const dryRun = () => cloud.runDocumented(documented("make patch STACK=prod DRY=1"));
const servers = (): string[] => cloud.plan.servers.map(({ name }) => name);

/** Gives every server newer packages; on some, one that asks for a reboot. */
function release(version: number, reboots: (server: string) => boolean): void {
  for (const server of servers()) {
    const whenInstalled = reboots(server) ? "touch /run/reboot-required" : "true";
    const probes = [{ version: `${version}.0` }, { version: `${version + 1}.0`, whenInstalled }] as const;
    feed(server, archiveScript({ probes, repacked: { "docker.io": `99.${version}`, containerd: `99.${version}` } }));
  }
}

/** A patch under load. */
async function underLoad() {
  const { result: ran, report: seen } = await platform.underLoad(patch);
  return { ran, seen };
}

beforeAll(() => {
  cloud.rehearse("mvp");
});

afterAll(() => {
  cloud.dispose();
});

test("mvp: Docker is renewed while the platform serves; nothing is left to do afterwards", async () => {
  release(1, () => false);
  expect(succeed(dryRun())).toMatch(/1 +core-1 +3 packages.*docker\.io 99\.1.*no reboot unless/);
  const { ran, seen } = await underLoad();
  expect(succeed(ran)).toContain("up to date, and all of it is well");
  expectLossless(seen);
  // Names in the container network are not answered while the engine restarts.
  expect(seen.failures.length).toBeLessThan(20);
  expect(succeed(dryRun())).toMatch(/core-1 +up to date/);
});

test("mvp: a reboot pauses the platform, and loses nothing", async () => {
  release(2, () => true);
  const { ran, seen } = await underLoad();
  expect(succeed(ran)).toMatch(/it is back.*\n.*its containers were away for \d+ s at most/);
  expectLossless(seen);
});

test("scale: servers are drained and rebooted one after the other, the standby too, and no request fails", async () => {
  cloud.rehearse("scale");
  release(3, (server) => server !== "core-1");
  const { ran, seen } = await underLoad();
  const output = succeed(ran);
  expect([...output.matchAll(/^(\S+-\d)$/gm)].map(([, name]) => name)).toEqual([
    ...["app-nbg1-1", "app-hel1-1", "worker-nbg1-1", "db-2", "core-1"],
  ]);
  expect(seen.failures).toEqual([]);
  expectLossless(seen);
});

test("scale: another image of PostgreSQL goes to the standby first, then to the primary within a measured pause", async () => {
  const image = `orion/${own.name}-postgres:1`;
  const { reference } = ownImage(root, "database", baseImage({}, "database"));
  const text = `FROM ${reference}\nLABEL org.orion.test=patch\n`;
  buildImage(image, text);
  const digest = await new CloudClient(cloud.settings).pushImage(image, reference);
  docker("image", "rm", image);
  platform.configure("images.database", `${reference}@${digest}`);
  const { ran, seen } = await underLoad();
  const said = succeed(ran);
  expect(said).toMatch(/database on db-2: .*first, because it is a standby/);
  expect(said.indexOf("Images of db-2, the standby")).toBeLessThan(said.indexOf("Images of all servers"));
  const pause = Number(/database was away for ([\d.]+) s/.exec(said)?.[1]);
  expect(pause).toBeGreaterThan(0);
  expect(pause).toBeLessThan(60);
  expectLossless(seen);
  expect(await query("core-1", "database", "SELECT state FROM pg_stat_replication")).toEqual(["streaming"]);
  expect(succeed(dryRun())).not.toContain("Images that");
});
