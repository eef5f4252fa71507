/**
 * The gateway, a real HAProxy with the program's files, in front of PostgreSQL and Redis: apps reach both by one name, TLS to the
 * servers is verified, and a change of the servers behind it ends no connection but those to a server that it does not have any more.
 */
import { chmodSync } from "node:fs";
import { must } from "../../common/process.ts";
import { authorityFile } from "../../common/server-contract.ts";
import type { GatewayListener } from "../../components/gateway/haproxy-config.ts";
import { replicaPath } from "../../components/database/replica-health-script.ts";
import { verifyingEnvironment } from "../../components/database/postgres-tls.ts";
import { eventually } from "../../testing/eventually.ts";
import { GatewayLab } from "../../testing/gateway-lab.ts";
import { databasePasswords } from "../../testing/lab-postgres.ts";
import { labPasswords, sampleImage } from "../../testing/redis-lab.ts";
import { redisPorts } from "../../topology/services/redis.ts";

jest.setTimeout(240_000);

const lab = new GatewayLab(`orion-test-gateway-${process.pid}`);

const redis = (name: string, certificateName = name) => ({
  ...{ name, address: `${lab.address(name)}:${redisPorts.tls}`, certificateName },
});
const postgres = (name: string) => ({ name, address: `${lab.address(name)}:5432` });
const listeners = (primary: string, certificateOfCache?: string): GatewayListener[] => [
  { port: "cache", check: "redis", servers: [redis("cache", certificateOfCache)] },
  ...(["database", "direct"] as const).map((port): GatewayListener => {
    return { port, check: "connection", servers: [postgres(primary)] };
  }),
];

beforeAll(async () => {
  const image = sampleImage("haproxy", "postgres");
  chmodSync(lab.folder, 0o755);
  await Promise.all([lab.startSecureRedis("cache"), lab.startPostgres("core"), lab.startPostgres("db")]);
  for (const name of ["core", "db"])
    lab.inside(
      name,
      ["psql", "-XqtA"],
      `CREATE TABLE home AS SELECT '${name}' AS name; GRANT SELECT ON home TO orion_app`,
    );
  await lab.writeGateway(listeners("core"));
  await lab.startGateway();
  const environment = {
    ...verifyingEnvironment,
    DATABASE_URL: `postgresql://orion_app_a:${databasePasswords["app"]}@gateway:5432/orion_db`,
    REDIS_URL: `redis://app:${labPasswords.app}@gateway:6379/0`,
  };
  lab.start(
    "app",
    ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ...["--volume", `${lab.authorityFile}:${authorityFile}:ro`, image, "sleep", "600"],
  );
});
afterAll(() => {
  lab.dispose();
});

const python = (program: string) => lab.inside("app", ["timeout", "20", "python", "-"], program);
const askHome =
  "import os, psycopg\nprint(psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT name FROM home').fetchone()[0])";
const ping = "import os, redis\nprint(redis.Redis.from_url(os.environ['REDIS_URL']).ping())";

test("PostgreSQL's TLS is the client's, end to end, and Redis is spoken to in plain text", () => {
  expect(python(askHome)).toEqual({ code: 0, output: "core" });
  expect(python(ping)).toEqual({ code: 0, output: "True" });
});

test("a reload keeps open connections, and refuses none meanwhile", async () => {
  lab.inside("app", ["sh", "-c", "cat >/tmp/hold.py; python /tmp/hold.py >/tmp/held 2>&1 &"], holdScript);
  await eventually(() => {
    expect(lab.inside("app", ["cat", "/tmp/held"]).output).toContain("ready");
  });
  for (let round = 0; round < 3; round++) {
    await lab.writeGateway([
      ...listeners("core"),
      { port: "reads", check: "connection", servers: [postgres(round % 2 === 0 ? "db" : "core")] },
    ]);
  }
  lab.inside("app", ["touch", "/tmp/end"]);
  await eventually(() => {
    expect(lab.inside("app", ["cat", "/tmp/held"]).output).toMatch(
      /^ready\ndone, \d+ new connections, message after the reloads$/,
    );
  });
});

test("another primary takes over: connections to the former one are ended, new ones reach the new one", async () => {
  lab.inside("app", ["sh", "-c", "cat >/tmp/stay.py; python /tmp/stay.py >/tmp/stayed 2>&1 &"], stayScript);
  await eventually(() => {
    expect(lab.inside("app", ["cat", "/tmp/stayed"]).output).toContain("core");
  });
  await lab.writeGateway(listeners("core"));
  await lab.writeGateway(listeners("db"));
  await eventually(() => {
    expect(lab.inside("app", ["cat", "/tmp/stayed"]).output).toMatch(/^core\nended: OperationalError\ndb$/);
  }, 10);
  // Redis' connections have nothing to do with it.
  expect(python(ping).output).toBe("True");
});

test("reads go to a replica that follows, to the primary while it is behind, and back", async () => {
  await lab.startReplica("copy", "core");
  const check = { port: 8008, path: replicaPath(2) };
  const health = lab.address("copy-health");
  // On a server both are at the same address; here the service is a container of its own.
  const server = { ...postgres("copy"), checkAddress: health };
  await lab.writeGateway([{ port: "reads", check, servers: [server], fallback: postgres("core") }, ...listeners("db")]);
  const isReplica = () =>
    python(
      "import os, psycopg\nprint(psycopg.connect(os.environ['DATABASE_URL'].replace('5432', '5433')).execute('SELECT pg_is_in_recovery()').fetchone()[0])",
    ).output;
  const onReplica = (expected: string, seconds: number) =>
    eventually(() => {
      expect(isReplica()).toBe(expected);
    }, seconds);
  const sql = (name: string, text: string) => lab.inside(name, ["psql", "-XqtA"], text).output;
  await onReplica("True", 30);
  sql("copy", "SELECT pg_wal_replay_pause()");
  sql("core", "CREATE TABLE later (n int)");
  await onReplica("False", 30);
  sql("copy", "SELECT pg_wal_replay_resume()");
  await onReplica("True", 30);
  // A replica that does not receive from its primary may lack anything.
  sql("core", "ALTER ROLE orion_replication NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
  await onReplica("False", 30);
});

test("a Redis with a certificate of another name is not spoken to", async () => {
  await lab.writeGateway(listeners("db", "broker"));
  await eventually(() => {
    expect(python(ping).output).toMatch(/ConnectionError/);
  });
  await lab.writeGateway(listeners("db"));
  await eventually(() => {
    expect(python(ping).output).toBe("True");
  });
});

test("a server that hangs is down within seconds, and its connections are ended", async () => {
  lab.inside("app", ["sh", "-c", "cat >/tmp/wait.py; python /tmp/wait.py >/tmp/waited 2>&1 &"], waitScript);
  await eventually(() => {
    expect(lab.inside("app", ["cat", "/tmp/waited"]).output).toContain("waiting b'+OK");
  });
  lab.must(["pause", lab.named("cache")]);
  try {
    await eventually(() => {
      expect(lab.inside("app", ["cat", "/tmp/waited"]).output).toContain("ended b''");
    }, 15);
  } finally {
    lab.must(["unpause", lab.named("cache")]);
  }
  await eventually(() => {
    expect(python(ping).output).toBe("True");
  });
});

test("a connection that a process of an older configuration keeps ends when its server is lost", async () => {
  const lines = () => lab.inside("app", ["cat", "/tmp/polled"]).output;
  lab.inside("app", ["sh", "-c", "cat >/tmp/poll.py; python /tmp/poll.py >/tmp/polled 2>&1 &"], pollScript);
  await eventually(() => {
    expect(lines()).toBe("polling");
  });
  await lab.writeGateway([...listeners("db"), { port: "reads", check: "connection", servers: [postgres("db")] }]);
  const pid = lab.must(["inspect", "--format", "{{.State.Pid}}", lab.named("cache")]);
  const drop = (change: string) =>
    must("nsenter", ["--target", pid, "--net", "iptables", change, "INPUT", "--protocol", "tcp", "--jump", "DROP"]);
  await drop("--insert");
  try {
    await eventually(() => {
      expect(lines()).toMatch(/^polling\nended: ConnectionError$/);
    }, 40);
  } finally {
    await drop("--delete");
  }
  await eventually(() => {
    expect(python(ping).output).toBe("True");
  });
});

test("files that HAProxy does not take are refused, and it goes on with its own", async () => {
  const broken = [{ port: "cache", check: "redis", servers: [{ name: "two words", address: "none" }] }] as const;
  await expect(lab.writeGateway(broken)).rejects.toThrow("did not pass the check");
  expect(python(ping).output).toBe("True");
});

/** Waits for an element of a list as a worker does: a second at a time, for ever. */
const pollScript = `
import os, redis
cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=None, retry=None)
connection = cache.connection_pool.get_connection("_")
print("polling", flush=True)
try:
    while True:
        connection.send_command("BRPOP", "nothing", 1)
        connection.read_response()
except redis.exceptions.RedisError as error:
    print("ended:", type(error).__name__, flush=True)
`;

/** Keeps a subscription and a transaction open, and opens connections without a pause. */
const holdScript = `
import os, psycopg, redis
cache = redis.Redis.from_url(os.environ["REDIS_URL"])
held = psycopg.connect(os.environ["DATABASE_URL"])
held.execute("SELECT 1")
channel = cache.pubsub()
channel.subscribe("news")
channel.get_message(timeout=5)
print("ready", flush=True)
count = 0
while not os.path.exists("/tmp/end"):
    psycopg.connect(os.environ["DATABASE_URL"]).close()
    redis.Redis.from_url(os.environ["REDIS_URL"]).ping()
    count += 1
held.execute("SELECT 1")
held.commit()
cache.publish("news", "message after the reloads")
print("done,", count, "new connections,", channel.get_message(timeout=5)["data"].decode())
`;

/** A connection that stays open; when it is ended, the app connects again. */
const stayScript = `
import os, psycopg, time
connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
def home(): return connection.execute("SELECT name FROM home").fetchone()[0]
print(home(), flush=True)
try:
    while True:
        home()
        time.sleep(0.1)
except psycopg.OperationalError as error:
    print("ended:", type(error).__name__, flush=True)
connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
print(home(), flush=True)
`;

/** Waits for a task, as a worker does. */
const waitScript = `
import socket
connection = socket.create_connection(("gateway", 6379))
connection.sendall(b"AUTH app ${labPasswords.app}\\r\\nBRPOP nothing 0\\r\\n")
print("waiting", connection.recv(100), flush=True)
print("ended", connection.recv(100))
`;
