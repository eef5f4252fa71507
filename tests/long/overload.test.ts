/** A server that has four times as much to do as it can, and services that hang: what the health checks make of both. */
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { secondsUntilUnhealthy } from "../../components/runtime/docker/health.ts";
import { RehearsalCloud } from "../../testing/cloud.ts";
import { eventually } from "../../testing/eventually.ts";
import { underLoad } from "../../testing/lossless.ts";
import { RehearsedPlatform } from "../../testing/platform.ts";
import { docker } from "../../testing/sandbox.ts";
import { serversOf } from "../../testing/servers.ts";

const root = resolve(__dirname, "..", "..");
jest.setTimeout(900_000);

const cloud = new RehearsalCloud(root, { name: "overload", block: 85, port: 8850, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const { on } = serversOf(cloud);
const core = (...words: string[]): Promise<string[]> => on("core-1", ...words);

/** Longer than a check sleeps, so that every container is asked under load at least twice. */
const overloadSeconds = 180;
/** One core for all of the server, and four loops that would each take one. */
const [cores, loops] = ["1", 4];

/** Which containers run, since when, and how often Docker has started each again. */
const running = async (): Promise<string[]> => {
  const ids = await core("docker", "ps", "--quiet", "--filter", "label=service");
  return (await core("docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}} {{.RestartCount}}", ...ids)).sort();
};

const statusOf = (service: string): string =>
  platform.containers().find(([name]) => name === service)?.[1] ?? `no container of ${service}`;

/** The containers that are not called healthy. */
const notHealthy = (): string[] =>
  platform.containers().flatMap(([service, status]) => (status.includes("(healthy)") ? [] : [`${service}: ${status}`]));

/** How many checks run at this moment: their shells, without those that a shell starts for a part of its work. */
const checks = async (): Promise<number> => {
  const processes = (await core("ps", "-eo", "pid=,ppid=,args="))
    .filter((line) => line.includes("orion-health"))
    .map((line) => line.trim().split(/\s+/));
  const own = new Set(processes.map(([pid]) => pid));
  return processes.filter(([, parent]) => !own.has(parent)).length;
};

/** Has loops burn what CPU they get, in a container of their own. @returns what ends them */
async function burn(): Promise<() => Promise<void>> {
  const [image = ""] = await core("docker", "inspect", "--format", "{{.Image}}", "orion-prod-beat");
  const script = `for n in $(seq ${loops}); do (while :; do :; done) & done; wait`;
  const [id = ""] = await core("docker", "run", "--detach", "--rm", "--init", image, "sh", "-c", script);
  return async () => {
    await core("docker", "rm", "--force", id);
  };
}

/** The first process that a service's container has started itself. */
async function mainProcess(container: string): Promise<string> {
  const [init = ""] = await core("docker", "inspect", "--format", "{{.State.Pid}}", container);
  const [main = ""] = await core("pgrep", "--parent", init);
  return main;
}

beforeAll(async () => {
  cloud.rehearse("mvp");
  await platform.healthy();
});

afterAll(() => {
  cloud.dispose();
});

test("a server with four times the work slows down and recovers; nothing is restarted or called unhealthy", async () => {
  const [server = ""] = docker("ps", "--quiet", "--filter", "name=orion-cloud-overload-server");
  const before = await running();
  const containers = platform.services().length;
  const seen: string[] = [];
  let [most, waited] = [0, 0];
  const report = await underLoad(platform, async () => {
    docker("update", "--cpus", cores, server);
    const end = Date.now() + overloadSeconds * 1000;
    const stopBurning = await burn();
    while (Date.now() < end) {
      seen.push(...notHealthy());
      most = Math.max(most, await checks());
      await sleep(3000);
    }
    await stopBurning();
    waited = await platform.ready(60);
  });
  docker("update", "--cpus", "2", server);

  expect(seen).toEqual([]);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(containers);
  expect(await running()).toEqual(before);
  expect(notHealthy()).toEqual([]);
  expect(waited).toBeLessThan(30);
  expect(report.failures).toEqual([]);
});

test("a Beat that hangs and workers without their broker are called unhealthy in time, and healthy again by themselves", async () => {
  const before = await running();
  const beat = await mainProcess("orion-prod-beat");
  await core("kill", "-STOP", beat);
  // Docker counts this as a wish, and does not start it again by itself.
  await core("docker", "stop", "orion-prod-broker");
  const named = (...kinds: string[]) =>
    cloud.plan.services.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  const hurt = named("beat", "worker");
  expect(hurt).toHaveLength(5);
  await eventually(() => {
    const stillWell = hurt.filter((service) => !statusOf(service).includes("(unhealthy)"));
    if (stillWell.length > 0) throw new Error(`not called unhealthy: ${stillWell.join(", ")}`);
  }, secondsUntilUnhealthy + 30);
  // The app answers without its broker, and is left alone.
  expect(named("app", "edge", "database", "cache").filter((one) => !statusOf(one).includes("(healthy)"))).toEqual([]);

  await core("docker", "start", "orion-prod-broker");
  await core("kill", "-CONT", beat);
  await platform.healthy(undefined, 90);
  const changed = (await running()).filter((line) => !before.includes(line));
  // The broker alone, which was stopped and started here.
  expect(changed).toHaveLength(1);
});
