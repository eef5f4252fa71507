/**
 * PgBouncer as the program makes it, between two ports of a real gateway, in front of PostgreSQL: every driver works through it with
 * prepared statements, a spike of clients waits and is served, and what needs a session of its own goes past it.
 */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { authorityFile } from "../../common/server-contract.ts";
import { pooledEnvironment, verifyingEnvironment } from "../../components/database/postgres-tls.ts";
import type { GatewayListener } from "../../components/gateway/haproxy-config.ts";
import { GatewayLab } from "../../testing/gateway-lab.ts";
import { databasePasswords } from "../../testing/lab-postgres.ts";
import { installDrivers } from "../../testing/postgres-drivers.ts";
import { imagesOf } from "../../testing/redis-lab.ts";
import { poolerConsole, poolerPorts } from "../../topology/services/pgbouncer.ts";

jest.setTimeout(240_000);

const lab = new GatewayLab(`orion-test-pooler-${process.pid}`);
const connections = 5;

beforeAll(async () => {
  const images = imagesOf("app", "haproxy", "postgres", "pooler");
  chmodSync(lab.folder, 0o755);
  installDrivers(join(lab.folder, "drivers"));
  await lab.startPostgres("primary", { maxConnections: 30 });
  const check = "connection";
  const primary = [{ name: "primary", address: `${lab.address("primary")}:5432` }];
  // As in a stack: the pooler is there before the gateway leads to it, and has a name only.
  await lab.startPooler("pooler", images("pgbouncer"), { connections, upstream: "direct" });
  const pooler = { name: "pgbouncer-1", address: `${lab.named("pooler")}:${poolerPorts.postgres}` };
  const listeners: GatewayListener[] = [
    { port: "database", check, servers: [pooler] },
    { port: "direct", check, servers: primary },
  ];
  await lab.writeGateway(listeners);
  await lab.startGateway();
  const environment = {
    ...{ ...verifyingEnvironment, ...pooledEnvironment, PYTHONPATH: "/test/drivers" },
    DATABASE_URL: urlOf("orion_app_a", "app", 5432),
    DATABASE_DIRECT_URL: urlOf("orion_app_a", "app", 5434),
  };
  lab.start(
    "app",
    ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ...["--volume", `${lab.authorityFile}:${authorityFile}:ro`, "--volume", `${lab.folder}:/test:ro`],
    ...["--ulimit", "nofile=8192:8192", images("sample-app"), "sleep", "600"],
  );
});
afterAll(() => {
  lab.dispose();
});

const urlOf = (role: string, client: string, port: number) =>
  `postgresql://${role}:${databasePasswords[client]}@gateway:${port}/orion_db`;
const python = (program: string, ...environment: string[]) =>
  lab.inside("app", ["env", ...environment, "timeout", "120", "python", "-"], program);

test.each(["psycopg2", "psycopg", "asyncpg"])(
  "%s: more clients than connections, with the same prepared statements",
  (driver) => {
    // Each client prepares its own statements under the same names; a transaction may run on any connection.
    expect(python(clientsScript, `DRIVER=${driver}`)).toEqual({ code: 0, output: `${12 * 30} right answers` });
  },
);

test("2,000 clients at once wait and are served; PostgreSQL has no connection more than the pooler may open", () => {
  const { code, output } = python(spikeScript);
  expect(output).toMatch(/^2000 served, 0 refused, at most [1-5] connections$/);
  expect(code).toBe(0);
});

test("a notification arrives over the direct URL", () => {
  expect(python(listenScript)).toEqual({ code: 0, output: "news: through the pooler" });
});

test("only the app's roles get in, each with its own password; both of them while a rotation goes on", async () => {
  const login = (url: string) => python(loginScript, `DATABASE_URL=${url}`).output;
  expect(login(urlOf("orion_app_a", "app", 5432))).toBe("orion_app_a");
  expect(login(urlOf("orion_reader", "reader", 5432))).toBe("orion_reader");
  expect(login(urlOf("orion_app_a", "reader", 5432))).toMatch(/authentication failed/);
  for (const [role, client] of [
    ["orion_migrator", "migrator"],
    ["orion_pooler", "pooler"],
    ["orion_user", "app"],
  ] as const)
    expect(login(urlOf(role, client, 5432))).toMatch(/authentication failed|no such user|not permitted|denied|FATAL/);
  await lab.giveRoles("primary", 1, { app: "rotated" });
  expect(login(urlOf("orion_app_a", "app", 5432))).toBe("orion_app_a");
  expect(login("postgresql://orion_app_b:rotated@gateway:5432/orion_db")).toBe("orion_app_b");
});

test("the role that asks who may log in sees secrets of the app's roles alone, and does nothing else", () => {
  const as = (sql: string) =>
    lab.inside(
      "app",
      ["timeout", "20", "python", "-"],
      `import psycopg\ntry: print(psycopg.connect("${urlOf("orion_pooler", "pooler", 5434).replace("orion_db", "postgres")}").execute("""${sql}""").fetchall())\nexcept Exception as error: print(error)`,
    ).output;
  expect(as("SELECT role FROM orion_pooler.login('orion_app_a')")).toBe("[('orion_app_a',)]");
  expect(as("SELECT role FROM orion_pooler.login('orion_user')")).toBe("[]");
  expect(as("SELECT rolpassword FROM pg_authid")).toContain("permission denied");
  expect(as("CREATE TABLE public.mine (n int)")).toContain("permission denied");
});

test("its console tells what waits", () => {
  const { output } = lab.inside("pooler", ["sh", "-c", `${poolerConsole} -Atc 'SHOW POOLS'`]);
  expect(output).toContain("orion_db|orion_app_a|");
});

/** Twelve clients, of which each runs thirty transactions with a statement that it prepares once. */
const clientsScript = `
import asyncio, os, threading
driver, url, answers = os.environ["DRIVER"], os.environ["DATABASE_URL"], []
def of_psycopg2(number):
    import psycopg2
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    for turn in range(30):
        cursor.execute("SELECT %s + %s", (number * 1000, turn))
        answers.append(cursor.fetchone()[0] == number * 1000 + turn)
        connection.commit()
def of_psycopg(number):
    import psycopg
    connection = psycopg.connect(url, prepare_threshold=0)
    for turn in range(30):
        row = connection.execute(f"SELECT %s::int + %s::int, {number % 3}", (number * 1000, turn)).fetchone()
        answers.append(row == (number * 1000 + turn, number % 3))
        connection.commit()
async def of_asyncpg(number):
    import asyncpg
    connection = await asyncpg.connect(url)
    statement = await connection.prepare(f"SELECT $1::int + $2::int + {number % 3}")
    for turn in range(30):
        answers.append(await statement.fetchval(number * 1000, turn) == number * 1000 + turn + number % 3)
    await connection.close()
if driver == "asyncpg":
    async def main(): await asyncio.gather(*(of_asyncpg(number) for number in range(12)))
    asyncio.run(main())
else:
    run = of_psycopg2 if driver == "psycopg2" else of_psycopg
    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print(sum(answers), "right answers")
`;

/** 2,000 connections, all of them open before the first query. */
const spikeScript = `
import asyncio, os, psycopg
url, connections, failures, most = os.environ["DATABASE_URL"], [], [], 0
async def connect():
    try: connections.append(await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=100))
    except Exception as error: failures.append(error)
async def ask(connection):
    try: return (await (await connection.execute("SELECT count(pg_sleep(0.005))")).fetchone())[0]
    except Exception as error: failures.append(error)
async def main():
    global most
    await asyncio.gather(*(connect() for _ in range(2000)))
    watch = await psycopg.AsyncConnection.connect(os.environ["DATABASE_DIRECT_URL"], autocommit=True)
    waiting = asyncio.gather(*(ask(connection) for connection in connections))
    while not waiting.done():
        await asyncio.sleep(0.5)
        rows = await watch.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'orion_db' AND usename = 'orion_app_a' AND pid <> pg_backend_pid()")
        most = max(most, (await rows.fetchone())[0])
    print(sum(await waiting), "served,", len(failures), "refused, at most", most, "connections")
asyncio.run(main())
`;

const listenScript = `
import os, psycopg
listener = psycopg.connect(os.environ["DATABASE_DIRECT_URL"], autocommit=True)
listener.execute("LISTEN news")
psycopg.connect(os.environ["DATABASE_URL"], autocommit=True).execute("NOTIFY news, 'through the pooler'")
for message in listener.notifies(timeout=10, stop_after=1): print(f"{message.channel}: {message.payload}")
`;

const loginScript = `
import os, psycopg
try: print(psycopg.connect(os.environ["DATABASE_URL"]).execute("SELECT current_user").fetchone()[0])
except Exception as error: print(error)
`;
