/**
 * Redis with Sentinel: a running master is taken over without a restart, a lost one is replaced, and one that comes back never
 * takes a write. What the program writes again changes nothing of what the Sentinels have decided.
 */
import { redisAdmin, redisFile } from "../../common/redis-contract.ts";
import { eventually } from "../../testing/eventually.ts";
import { RedisChecker } from "../../testing/redis-checker.ts";
import { labPasswords as passwords } from "../../testing/redis-lab.ts";
import { type LabServer, labServers, SentinelLab } from "../../testing/sentinel-lab.ts";

jest.setTimeout(120_000);

let lab: SentinelLab;

beforeAll(() => {
  lab = new SentinelLab(`orion-test-sentinel-${process.pid}`, `10.231.${process.pid % 250}`);
});
afterAll(() => {
  lab.dispose();
});

const admin = (server: LabServer, ...command: string[]) =>
  lab.inside(server, [...redisAdmin.split(" "), ...command]).output.split("\n");
const info = (server: LabServer, key: string) =>
  admin(server, "info")
    .find((line) => line.startsWith(`${key}:`))
    ?.trim()
    .slice(key.length + 1);
const roleOf = (server: LabServer) => admin(server, "role")[0];

/** Waits as an update does. */
const watch = (server: LabServer) => {
  expect(lab.inside(server, ["sh", redisFile("watch")])).toEqual({ code: 0, output: "OK" });
};

test("a running master becomes the first of a group: it does not restart, and its clients and data stay", async () => {
  await lab.writeServer("one", false);
  await lab.startServer("one");
  expect(lab.as("one", "app", passwords.app, "LPUSH default task")).toEqual(["1"]);
  lab.must(["exec", "--detach", lab.named("one"), "sh", "-c", blocked]);
  const before = info("one", "run_id");

  await lab.writeServer("one", true);
  // Without replicas it still takes writes: they are only about to come.
  expect(lab.as("one", "app", passwords.app, "LPUSH default task")).toEqual(["2"]);
  for (const server of ["two", "three"] as const) {
    await lab.writeServer(server, true);
    await lab.startServer(server);
  }
  for (const server of labServers) {
    await lab.writeSentinel(server);
    await lab.startSentinel(server);
  }
  for (const server of labServers) watch(server);

  expect(labServers.map(roleOf)).toEqual(["master", "slave", "slave"]);
  expect(info("one", "run_id")).toBe(before);
  expect(admin("one", "client", "list").filter((line) => line.includes("cmd=brpop"))).toHaveLength(1);
  expect(lab.as("two", "worker", passwords.worker, "LLEN default")).toEqual(["2"]);
  expect(admin("one", "config", "get", "min-replicas-to-write")).toEqual(["min-replicas-to-write", "1"]);
});

/** Writes to every server directly, and as the platform's processes do, through the gateway, until the work is done. */
async function whileWriting(work: (direct: RedisChecker, through: RedisChecker) => Promise<void>): Promise<void> {
  const servers = labServers.map((name) => ({ name, host: lab.addressOf(name), port: 6381 }));
  const login = { user: "app", password: passwords.app, authorityFile: lab.authorityFile };
  const direct = new RedisChecker({ servers, ...login });
  const gateway = { name: "gateway", host: lab.address("gateway"), port: 6380, plain: true };
  const through = new RedisChecker({ servers: [gateway], ...login });
  try {
    await work(direct, through);
  } finally {
    await Promise.all([direct.stop(), through.stop()]);
  }
}

/** Resolves when writes through the gateway are accepted again after a moment, by another server than before. */
async function takenOver(from: LabServer, since: number, direct: RedisChecker, through: RedisChecker): Promise<void> {
  await eventually(() => {
    const at = direct.takenOver(from, since)?.at;
    expect(at).toBeDefined();
    expect(through.accepted.find(({ sent }) => sent > (at ?? 0))).toBeDefined();
  }, 25);
}

test("a killed master is replaced, and is a replica from its first moment when it comes back", async () => {
  await lab.followSentinels();
  await lab.startGateway();
  await whileWriting(async (direct, through) => {
    await eventually(() => {
      expect(direct.accepted.at(-1)?.server).toBe("one");
      expect(through.accepted.length).toBeGreaterThan(10);
    });
    lab.must(["kill", lab.named("one")]);
    const killed = Date.now();
    await takenOver("one", killed, direct, through);
    lab.must(["start", lab.named("one")]);
    await eventually(() => {
      expect(info("one", "master_link_status")).toBe("up");
    });
    expect(direct.changes).toBe(1);
  });
  // It has to take all data again. A new master that waits for further replicas before it sends them takes no writes meanwhile.
  const logs = labServers.map((server) => lab.must(["logs", lab.named(server)])).join("\n");
  expect(logs).toMatch(/Full resync/);
  expect(logs).not.toMatch(/Delay next BGSAVE/);
});

test("a frozen master is replaced, and takes no write when it thaws", async () => {
  const master = lab.master("one");
  if (!master) throw new Error("there is no master");
  await whileWriting(async (direct, through) => {
    await eventually(() => {
      expect(through.accepted.length).toBeGreaterThan(10);
    });
    lab.must(["pause", lab.named(master)]);
    const frozen = Date.now();
    try {
      await takenOver(master, frozen, direct, through);
    } finally {
      lab.must(["unpause", lab.named(master)]);
    }
    await eventually(() => {
      expect(info(master, "master_link_status")).toBe("up");
    });
    expect(direct.changes).toBe(1);
  });
});

test("an update that writes all files again moves no master, and neither does a restart of the Sentinels", async () => {
  const master = lab.master("one");
  if (!master) throw new Error("there is no master");
  for (const server of labServers) {
    await lab.writeServer(server, true, 65);
    await lab.writeSentinel(server);
  }
  await eventually(() => {
    expect(lab.master("one")).toBe(master);
  });
  expect(labServers.filter((server) => roleOf(server) === "master")).toEqual([master]);
});

test("a group becomes a single Redis again: the first server takes the lead over with all data, and needs no replica", async () => {
  const master = lab.master("one");
  if (!master) throw new Error("there is no master");
  if (master === "one") expect(lab.inside("two", ["sh", redisFile("lead")])).toMatchObject({ code: 0 });
  // The Sentinels make a former master a replica within ten seconds.
  await eventually(() => {
    expect(roleOf("one")).toBe("slave");
  });
  expect(lab.as(lab.master("one") ?? "two", "app", passwords.app, "LPUSH default last")).toEqual(["3"]);
  await lab.writeServer("one", false);
  expect(roleOf("one")).toBe("master");
  for (const server of ["two", "three"])
    lab.must(["rm", "--force", lab.named(server), lab.named(`sentinel-${server}`)]);
  expect(lab.as("one", "app", passwords.app, "LPUSH default alone")).toEqual(["4"]);
  lab.must(["restart", lab.named("one")]);
  await eventually(() => {
    expect(lab.as("one", "app", passwords.app, "LLEN default")).toEqual(["4"]);
  });
});

/** A client that waits for a key that never comes. */
const blocked = `REDISCLI_AUTH=${passwords.app} redis-cli -s /dev/shm/redis.sock --user app BRPOP x.reply.celery.pidbox 60`;
