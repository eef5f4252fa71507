/**
 * Redis with its users and TLS, with the libraries that connect to it: redis-py, kombu, Celery and Flower of the sample
 * application. Everything that a purpose needs works, everything else is refused, and no change of the files or of the
 * program's version closes a connection that is needed.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { redisAdmin, redisReload } from "../../common/redis-contract.ts";
import { formerScript, leavingScript } from "../../components/cache/redis-scripts.ts";
import { redisUrl } from "../../components/cache/redis-url.ts";
import type { RedisClient } from "../../components/cache/users.ts";
import { officialImages } from "../../config/images.ts";
import { eventually } from "../../testing/eventually.ts";
import {
  formerPassword,
  labPasswords as passwords,
  type RanInside,
  RedisLab,
  sampleImage,
} from "../../testing/redis-lab.ts";
import { plan } from "../../topology/plan.ts";
import { redisPorts } from "../../topology/services/redis.ts";
import { servicesOf } from "../../topology/topology.ts";
import { checkRedis } from "../../tools/doctor/checks/redis.ts";
import { settingsOf } from "../unit/support/settings.ts";

jest.setTimeout(180_000);

const authorityFile = "/etc/orion/ca.crt";
let lab: RedisLab;
let appImage: string;

beforeAll(() => {
  lab = new RedisLab(`orion-test-redis-${process.pid}`);
  appImage = sampleImage();
});
afterAll(() => {
  lab.dispose();
});

describe("the users of the broker, with TLS", () => {
  /** Clients connect by address, as on servers. */
  const names = "IP:127.0.0.1";
  const endpoint = { address: `127.0.0.1:${redisPorts.tls}`, authorityFile };

  /** A process of the sample application; `clients` says as whom it connects. */
  function startProcess(name: string, client: RedisClient, ca: string, ...command: string[]): void {
    const url = (database: number) => redisUrl(endpoint, client, passwords[client], database);
    const environment = {
      ...{ REDIS_URL: url(0), CELERY_BROKER_URL: url(1), CELERY_RESULT_BACKEND: url(2), FEATURE_FLAGS_URL: url(3) },
      ...{ SECRET_KEY: "0123456789abcdef0123456789", DATABASE_URL: "postgresql://nobody:none@localhost:1/none" },
      ...(client === "flower" && { SSL_CERT_FILE: authorityFile }),
    };
    lab.start(
      name,
      ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      ...[
        "--network",
        `container:${lab.named("broker")}`,
        "--volume",
        `${ca}:${authorityFile}:ro`,
        appImage,
        ...command,
      ],
    );
  }

  test("Celery's worker, client and Flower do their work", async () => {
    await lab.write("broker", { tls: lab.certify("broker", names) });
    await lab.startRedis("broker");
    const ca = join(lab.folder, "broker-ca.crt");
    const celery = ["celery", "-A", "app.celery"];
    startProcess("worker", "worker", ca, ...celery, "worker", "--concurrency=1", "--without-gossip");
    startProcess("flower", "flower", ca, ...celery, "flower", "--address=0.0.0.0", "--port=5555");
    startProcess("app", "app", ca, "sleep", "600");

    expect(lab.inside("app", ["python", "-"], clientScript)).toEqual({ code: 0, output: "the client is done" });
    await eventually(() => {
      const page = (path: string) => lab.inside("app", ["python", "-c", fetchScript, `http://127.0.0.1:5555${path}`]);
      expect(page("/").output).toContain("celery@");
      expect(page("/broker").output).toContain("imports");
    });
    expect(lab.inside("worker", [...celery, "inspect", "ping", "--timeout", "10"]).output).toContain("pong");
    expect(lab.inside("worker", [...celery, "purge", "--force", "--queues", "imports"]).output).toContain("urged");
    expect(lab.as("broker", "admin", passwords.admin, "ACL LOG")).toEqual([""]);
  });

  test("a server with another authority gets no password", async () => {
    const impostor = lab.certify("impostor", names);
    await lab.write("broker", { tls: impostor });
    const { output } = lab.inside("app", [
      "python",
      "-c",
      "import os, redis; redis.Redis.from_url(os.environ['REDIS_URL']).ping()",
    ]);
    expect(output).toContain("CERTIFICATE_VERIFY_FAILED");
    const kombu = "from app.celery import celery_app as c; c.connection_for_write().ensure_connection(max_retries=1)";
    expect(lab.inside("app", ["python", "-c", kombu]).output).toContain("CERTIFICATE_VERIFY_FAILED");
  });

  test.each(["app", "worker", "flower", "monitor"] as const)("%s is refused what is for people", (user) => {
    const commands = [
      ...[
        "FLUSHALL",
        "FLUSHDB",
        "CONFIG GET dir",
        "CONFIG SET dir /tmp",
        "DEBUG SLEEP 0",
        "SHUTDOWN",
        "KEYS *",
        "SAVE",
        "BGSAVE",
      ],
      ...[
        "MODULE LIST",
        "REPLICAOF NO ONE",
        "SLAVEOF NO ONE",
        "ACL LIST",
        "ACL SETUSER x on",
        "CLIENT KILL TYPE normal",
        "MONITOR",
      ],
      ...[
        "FUNCTION FLUSH",
        "SCRIPT FLUSH",
        "BGREWRITEAOF",
        "FAILOVER",
        "LASTSAVE",
        "SWAPDB 0 1",
        "CLIENT PAUSE 1",
        "REPLCONF ACK 0",
      ],
      `EVAL "return redis.call('FLUSHALL')" 0`,
    ];
    const answers = lab.as("broker", user, passwords[user], ...commands);
    expect(answers).toHaveLength(commands.length);
    for (const answer of answers)
      expect(answer).toMatch(/NOPERM|no permissions|ACL failure|can't run this command|DEBUG command not allowed/);
  });

  test("the app adds tasks, and neither reads nor removes them; Flower does neither", () => {
    const of = (user: "app" | "flower", ...commands: string[]) =>
      lab.as("broker", user, passwords[user], ...commands).map((answer) => answer.split(" ")[0]);
    expect(
      of("app", "LPUSH default x", "LRANGE default 0 -1", "BRPOP default 1", "DEL default", "SET default x"),
    ).toEqual(["1", "NOPERM", "NOPERM", "NOPERM", "NOPERM"]);
    expect(of("flower", "LLEN default", "LPUSH default x", "LRANGE default 0 -1", "DEL default")).toEqual([
      "1",
      "NOPERM",
      "NOPERM",
      "NOPERM",
    ]);
  });

  test("make doctor finds the program's users, and tells what was refused", async () => {
    const topology = plan("dev", settingsOf("development"));
    const [service] = servicesOf(topology, "cache");
    if (!service) throw new Error("development has a cache");
    const ask = () =>
      checkRedis({
        ...{ service, topology },
        exec: (_service, ...command) => {
          const { code, output } = lab.inside("broker", command);
          return Promise.resolve({ ok: code === 0, output });
        },
        workers: () => Promise.reject(new Error("no worker is to be asked")),
      });
    expect(await ask()).toEqual({
      detail: expect.stringMatching(/clients; refused within a day: \w+ /) as string,
    });
    lab.as("broker", "admin", passwords.admin, "ACL SETUSER guest on nopass +@all", "ACL SETUSER flower +flushall");
    expect(await ask()).toEqual({
      problem: "redis-users",
      detail:
        "the user guest is not the program's; the user guest needs no password; " +
        "the user flower may delete everything; the user guest may delete everything",
    });
    expect(lab.inside("broker", redisReload.split(" ")).output).toContain("1");
    expect((await ask()).problem).toBeUndefined();
  });

  test("nobody gets in without a user, without TLS, or as default", async () => {
    const python = `import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
once = Retry(NoBackoff(), 0)
for how in ({"username": "default", "password": "${formerPassword}"}, {"password": "${formerPassword}"}, {}):
    try: print(redis.Redis("127.0.0.1", ${redisPorts.tls}, ssl=True, ssl_ca_certs="${authorityFile}", retry=once, **how).ping())
    except Exception as error: print(type(error).__name__)
try: redis.Redis("127.0.0.1", ${redisPorts.redis}, username="app", password="${passwords.app}", retry=once).ping()
except Exception as error: print(error)`;
    await lab.write("broker", { tls: lab.certify("again", names) });
    lab.must(["cp", join(lab.folder, "again-ca.crt"), `${lab.named("app")}:/tmp/ca.crt`]);
    const lines = lab
      .inside("app", ["python", "-c", python.replaceAll(authorityFile, "/tmp/ca.crt")])
      .output.split("\n");
    expect(lines.slice(0, 3)).toEqual(Array(3).fill("AuthenticationError"));
    expect(lines[3]).toContain("Connection refused");
  });
});

describe("changes of a running server", () => {
  test("users, memory and certificate change, and no connection is closed", async () => {
    await lab.write("live", {});
    await lab.startRedis("live");
    lab.must(["exec", "--detach", lab.named("live"), "sh", "-c", blocked("app", passwords.app)]);
    const clients = () =>
      lab.as("live", "admin", passwords.admin, "CLIENT LIST TYPE NORMAL").filter((line) => line.includes("user=app"));
    await eventually(() => {
      expect(clients()).toHaveLength(1);
    });
    const before = clients()[0]?.split(" ")[0];
    expect(lab.as("live", "app", passwords.app, "SET redbeat:x 1")[0]).toContain("NOPERM");
    await lab.write("live", { appKeys: ["redbeat:*"], maxMemoryMb: 96 });
    expect(lab.as("live", "app", passwords.app, "SET redbeat:x 1")).toEqual(["OK"]);
    expect(lab.as("live", "admin", passwords.admin, "CONFIG GET maxmemory")).toEqual([
      "maxmemory",
      String(96 * 1024 * 1024),
    ]);
    expect(clients()[0]?.split(" ")[0]).toBe(before);
  });

  test("transactions are in the data after a restart", async () => {
    const app = (...commands: string[]) => lab.as("live", "app", passwords.app, ...commands);
    expect(app("MULTI", "SET redbeat:kept yes", "ZADD celery-task-meta-set 1 x", "EXEC").at(-1)).toBe("1");
    lab.must(["restart", lab.named("live")]);
    await eventually(() => {
      expect(app("GET redbeat:kept", "ZCARD celery-task-meta-set")).toEqual(["yes", "1"]);
    });
    expect(lab.as("live", "admin", passwords.admin, "ACL LOG")).toEqual([""]);
  });

  test("files that Redis refuses change nothing", async () => {
    const wrong = { "users.acl": "user default off\nuser app on +nonsense\n" };
    await expect(lab.write("live", { maxMemoryMb: 97 }, wrong)).rejects.toThrow(
      /did not pass the check; it keeps the old ones/,
    );
    expect(lab.as("live", "app", passwords.app, "PING")).toEqual(["PONG"]);
  });

  test("the roles for replicas and Sentinel have the rights that replication needs", async () => {
    await lab.write("live", { appKeys: [] });
    lab.as("live", "admin", passwords.admin, "ACL SETUSER replica on >r-password", "ACL SETUSER app on");
    lab.start(
      "replica",
      officialImages.redis,
      "redis-server",
      "--replicaof",
      `${lab.named("live")} 6379`,
      "--masteruser",
      "replica",
      "--masterauth",
      "r-password",
    );
    await eventually(() => {
      expect(lab.inside("replica", ["redis-cli", "info", "replication"]).output).toContain("master_link_status:up");
    });
    expect(lab.as("live", "replica", "r-password", "GET redbeat:x")[0]).toContain("NOPERM");
  });
});

describe("taking over a server of the version without users", () => {
  const former = (command: string): RanInside =>
    lab.inside("client", [
      "redis-cli",
      "-h",
      lab.named("taken"),
      "-a",
      formerPassword,
      "--no-auth-warning",
      ...command.split(" "),
    ]);

  test("its data and its clients stay, without commands for people, until the last one has gone", async () => {
    writeFileSync(
      join(lab.folder, "old.conf"),
      `requirepass ${formerPassword}\nappendonly yes\ndir /data\nbind * -::*\n`,
      {
        mode: 0o644,
      },
    );
    const conf = ["--volume", `${join(lab.folder, "old.conf")}:/etc/orion/redis.conf:ro`];
    lab.start(
      "taken",
      "--volume",
      `${lab.named("taken-data")}:/data`,
      ...conf,
      officialImages.redis,
      "redis-server",
      "/etc/orion/redis.conf",
    );
    lab.start("client", officialImages.redis, "sleep", "600");
    await eventually(() => {
      expect(former("SET kept yes").output).toBe("OK");
    });
    const transaction = "MULTI\nFLUSHALL\nSET kept yes\nSET queued yes\nEXEC\n";
    lab.inside("taken", ["redis-cli", "-a", formerPassword], transaction);

    // As in an update: files first, then the container; the time without a client is shorter.
    const certificate = lab.certify("taken", `DNS:${lab.named("taken")}`);
    await lab.write("taken", { tls: certificate }, { former: formerScript(3, 1) });
    lab.must(["rm", "--force", lab.named("taken")]);
    await lab.startRedis("taken");
    expect(former("GET kept").output).toBe("yes");
    expect(former("GET queued").output).toBe("yes");
    expect(former("CONFIG GET dir").output).toContain("NOPERM");

    // A former worker that completes its last task keeps the door open for its other connections.
    lab.must([
      "exec",
      "--detach",
      lab.named("client"),
      "redis-cli",
      "-h",
      lab.named("taken"),
      "-a",
      formerPassword,
      "BLPOP",
      "none",
      "8",
    ]);
    lab.must([
      "run",
      "--rm",
      "--volume",
      `${lab.named("taken-data")}:/data`,
      officialImages.redis,
      "sh",
      "-c",
      leavingScript,
    ]);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect(former("GET kept").output).toBe("yes");
    await eventually(() => {
      expect(former("GET kept").output).toContain("Connection refused");
    }, 30);
    expect(lab.as("taken", "app", passwords.app, "GET celery-task-meta-x")).toEqual([""]);
    expect(lab.as("taken", "default", formerPassword, "PING").join()).toMatch(/WRONGPASS|NOAUTH/);

    lab.must(["restart", lab.named("taken")]);
    await eventually(() => {
      expect(lab.inside("taken", [...redisAdmin.split(" "), "GET", "kept"]).output).toBe("yes");
    });
    expect(former("GET kept").output).toContain("Connection refused");
  });
});

/** A client that waits for a key that never comes. */
function blocked(user: string, password: string): string {
  return `REDISCLI_AUTH=${password} redis-cli -s /dev/shm/redis.sock --user ${user} BRPOP x.reply.celery.pidbox 60`;
}

const fetchScript = `import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())`;

/** What an app does with Celery; the tasks are Celery's own, which need no database. */
const clientScript = `
import os
from celery import chain, chord, group
from app.celery import celery_app as c
echo = lambda n: c.signature("celery.accumulate", args=[n], queue="default")
first = c.send_task("celery.accumulate", args=[1, 2], queue="default")
assert first.get(timeout=60) == [1, 2]
first.forget()
assert c.send_task("celery.accumulate", args=[1], queue="emails", priority=6, countdown=0.5).get(timeout=60) == [1]
many = group(echo(n) for n in range(3))()
assert many.get(timeout=60) == [[0], [1], [2]]
many.save()
assert c.GroupResult.restore(many.id) == many
many.delete()
assert chord([echo(1), echo(2)], c.signature("celery.accumulate", queue="default"))().get(timeout=60) == [[[1], [2]]]
assert chain(echo(1), c.signature("celery.accumulate", queue="default"))().get(timeout=60)
inspect = c.control.inspect(timeout=3)
assert inspect.ping() and inspect.active_queues() and inspect.stats()
c.control.revoke("no-such-task")
with c.connection_for_write() as connection:
    assert connection.default_channel.client.llen("default") == 0
print("the client is done", flush=True)
# Without Python's own end, in which redis-py prints an error of its own.
os._exit(0)
`;
