/** More or less of a live platform in phase scale: each change is one update under load that nobody notices. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RehearsalCloud } from "../../testing/cloud.ts";
import { eventually } from "../../testing/eventually.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { underLoad } from "../../testing/lossless.ts";
import { RehearsedPlatform } from "../../testing/platform.ts";
import { succeed } from "../../testing/sandbox.ts";
import { serversOf } from "../../testing/servers.ts";

const root = resolve(__dirname, "..", "..");
jest.setTimeout(900_000);

const cloud = new RehearsalCloud(root, { name: "changes", block: 84, port: 8840, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);

const { all, on, query, health, identity } = serversOf(cloud);

/** The servers that the gateway of a server knows. */
const behindGateway = async (server: string): Promise<string[]> => {
  const file = "/etc/orion-gateway/current/haproxy.cfg";
  const lines = await on(server, "docker", "exec", `orion-prod-gateway-${server}`, "cat", file);
  return lines.flatMap((line) => /^ +server (\S+) /.exec(line)?.[1] ?? []);
};

/** The servers with their types. */
const types = async (): Promise<Record<string, string>> =>
  Object.fromEntries((await all()).map(({ name, type }) => [name, type]));

/** The names of those that do not run. */
const off = async (): Promise<string[]> =>
  (await all()).filter(({ status }) => status !== "running").map(({ name }) => name);

/** An update under load: no request of it fails, and no order and no task is lost. */
async function changed(keys: Readonly<Record<string, string>>, meanwhile: () => Promise<void> = noThing) {
  for (const [key, value] of Object.entries(keys)) platform.configure(key, value);
  const seen = await underLoad(platform, async () => {
    // The update is a process of its own; here it would hold up whoever looks at what happens meanwhile.
    const update = platform.start("up", "REHEARSAL=1", "YES=1");
    const ended = update.printed(/(?!)/).then(() => true);
    do await meanwhile();
    while (!(await Promise.race([ended, sleep(1000, false)])));
  });
  expect(seen.failures).toEqual([]);
  // What was not done to its end is done here, and says why not.
  expect(succeed(platform.update())).toMatch(/Resources:\n +\d+ unchanged\n/);
}
const noThing = (): Promise<void> => Promise.resolve();

beforeAll(() => {
  cloud.rehearse("scale");
});

afterAll(() => {
  cloud.dispose();
});

test("another server type: app servers one after the other, the rest of them at work; worker servers as well", async () => {
  const before = await types();
  expect(before).toMatchObject({ "app-nbg1-1": "cpx22", "app-hel1-1": "cpx22", "worker-nbg1-1": "cpx22" });
  const seen = new Set<string>();
  await changed({ "app.servers.types[0]": "cpx32", "workers.servers.types[0]": "cx33" }, async () => {
    const down = await off();
    for (const name of down) seen.add(name);
    expect(down.filter((name) => name.startsWith("app-")).length).toBeLessThan(2);
  });
  expect(await types()).toEqual({ ...before, "app-nbg1-1": "cpx32", "app-hel1-1": "cpx32", "worker-nbg1-1": "cx33" });
  expect([...seen].sort()).toEqual(["app-hel1-1", "app-nbg1-1", "worker-nbg1-1"]);
});

test("more app and worker servers, one of a type that is sold out: it gets the next of the list; a queue gets its own worker", async () => {
  const fault = await cloud.fault({ kind: "sold_out", serverType: "cpx32", locations: ["fsn1"] });
  await changed({
    ...{ "app.servers.count": "3", "app.servers.types[1]": "cx33" },
    ...{ "workers.servers.count": "2", "workers.dedicated[0]": "emails" },
    protection: "false",
  });
  // What the others have is not touched, neither now nor when it can be had again.
  expect(await types()).toMatchObject({
    "app-nbg1-1": "cpx32",
    "app-hel1-1": "cpx32",
    "app-fsn1-1": "cx33",
    "worker-hel1-1": "cx33",
  });
  await cloud.call("DELETE", `/rehearsal/faults/${fault}`);
  expect(succeed(platform.update())).toMatch(/Resources:\n +\d+ unchanged\n/);
  await eventually(async () => {
    expect(await health()).toEqual(Array(6).fill("healthy"));
  });
  const names = await on("worker-hel1-1", "docker", "ps", "--format", '{{.Label "service"}}');
  expect(names.sort()).toEqual(["gateway-worker-hel1-1", "worker-hel1-1", "worker-hel1-1-emails"]);
});

test("fewer of them, and no replica: gateways no longer know of one, and the primary keeps nothing for it", async () => {
  await changed({ "app.servers.count": "2", "workers.servers.count": "1", "database.availability": "single" });
  expect(Object.keys(await types()).sort()).toEqual(["app-hel1-1", "app-nbg1-1", "core-1", "worker-nbg1-1"]);
  expect(await query("core-1", "database", "SELECT count(*) FROM pg_replication_slots")).toEqual(["0"]);
  expect(await behindGateway("app-nbg1-1")).not.toContain("replica-1");
});

test("a replica again: it has everything, apps read from it, and it is protected", async () => {
  await changed({ "database.availability": "replica", protection: "true" });
  expect(await query("core-1", "database", "SELECT state FROM pg_stat_replication")).toEqual(["streaming"]);
  expect(await behindGateway("app-nbg1-1")).toContain("replica-1");
  const checked = spawnSync("make", ["--no-print-directory", "doctor", "REHEARSAL=1", "CLOUD=changes"], { cwd: root });
  expect(checked.stdout.toString()).toContain("All of 'prod' is well.");
});

test("another operator's key and larger Volumes come with one update, PostgreSQL goes on, and the key is taken back", async () => {
  const key = join(temporaryFolder("operator"), "key");
  expect(spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", key]).status).toBe(0);
  const logsIn = async (server: string) => {
    const target = `root@${await cloud.address(`orion-prod-${server}`)}`;
    return spawnSync("ssh", [...cloud.sshOptions, "-i", key, target, "true"]).status === 0;
  };
  const servers = ["core-1", "db-2", "app-nbg1-1"];
  const logins = () => Promise.all(servers.map(logsIn));
  const before = await identity();
  expect(await logins()).toEqual([false, false, false]);
  await changed({ "admin.sshPublicKeys[1]": readFileSync(`${key}.pub`, "utf8").trim(), "database.volumeGb": "30" });
  expect(await logins()).toEqual([true, true, true]);
  for (const server of ["core-1", "db-2"])
    expect(await on(server, "/usr/local/sbin/orion-volume-growth")).toEqual([`${30 * 2 ** 30} ${30 * 2 ** 30}`]);
  platform.forget("admin.sshPublicKeys[1]");
  await changed({});
  expect(await logins()).toEqual([false, false, false]);
  expect(await identity()).toEqual(before);
});

test("a change of server types, killed while a server is off and run again: the server comes back, and no request fails", async () => {
  platform.configure("app.servers.types[0]", "cpx42");
  const seen = await underLoad(platform, async () => {
    const update = platform.start("up", "REHEARSAL=1", "YES=1");
    await eventually(async () => {
      expect(await off()).toHaveLength(1);
    }, 300);
    expect(await update.kill()).toBe(true);
    succeed(platform.update());
  });
  expect(seen.failures).toEqual([]);
  expect(await types()).toMatchObject({ "app-nbg1-1": "cpx42", "app-hel1-1": "cpx42" });
  expect(succeed(platform.update())).toMatch(/Resources:\n +\d+ unchanged\n/);
});
