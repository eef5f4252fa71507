/**
 * PostgreSQL with its roles, access rules and TLS, with the libraries that connect to it: psycopg 2, psycopg 3 and asyncpg. A
 * database of the version before, whose clients were superusers, is taken over while such a client still runs.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run as runProcess } from "../../common/process.ts";
import { hbaText } from "../../components/database/hba.ts";
import { postgresSettings } from "../../components/database/postgres-settings.ts";
import {
  fileNames,
  filesDirectory,
  reloadFiles,
  tlsCommand,
  tlsSettings,
  verifyingEnvironment,
} from "../../components/database/postgres-tls.ts";
import {
  createSlotScript,
  passwordsText,
  replicaCommand,
  replicaSettings,
} from "../../components/database/replication.ts";
import { endFormerLoginsScript, passwordVariables, rolesScript } from "../../components/database/roles.ts";
import { officialImages } from "../../config/images.ts";
import { dockerBy } from "../../plugin/docker.ts";
import { writeLiveFiles } from "../../plugin/live-files.ts";
import { runSqlScript } from "../../plugin/sql-script.ts";
import { eventually } from "../../testing/eventually.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { installDrivers } from "../../testing/postgres-drivers.ts";
import { docker } from "../../testing/sandbox.ts";

jest.setTimeout(240_000);

const prefix = `orion-test-pg-${process.pid}`;
const named = (name: string): string => `${prefix}-${name}`;
const former = "former-password";
const passwords = Object.fromEntries(passwordVariables.map((name) => [name, `${name}-password`]));
const authorityFile = "/etc/orion/ca.crt";

interface Ran {
  readonly code: number | null;
  readonly output: string;
}
function run(args: readonly string[], input = ""): Ran {
  const { status, stdout, stderr } = spawnSync("docker", args, { encoding: "utf8", input });
  return { code: status, output: (stdout + stderr).trim() };
}
const must = (args: readonly string[], input = ""): string => {
  const { code, output } = run(args, input);
  if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${output}`);
  return output;
};

let folder: string;
let appImage: string;
let tls: { readonly authority: string; readonly server: Certificate; readonly replica: Certificate };

interface Certificate {
  readonly certificate: string;
  readonly privateKey: string;
}

const openssl = (...args: string[]): void => {
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
};
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const fileOf = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(fileOf(name), "utf8");

/** An authority; @returns its certificate */
function makeAuthority(name: string): string {
  const files = ["-keyout", fileOf(`${name}.key`), "-out", fileOf(`${name}.crt`)];
  openssl("req", "-x509", ...newKey, "-days", "1", "-subj", "/CN=orion", ...files);
  return read(`${name}.crt`);
}

/** A certificate that an authority has signed for a server's name. */
function certify(name: string, authority: string): Certificate {
  const own = fileOf(name);
  openssl("req", ...newKey, "-subj", `/CN=${named(name)}`, "-keyout", `${own}.key`, "-out", `${own}.csr`);
  writeFileSync(`${own}.ext`, `subjectAltName=DNS:${named(name)}\nextendedKeyUsage=serverAuth\n`);
  const ca = ["-CA", fileOf(`${authority}.crt`), "-CAkey", fileOf(`${authority}.key`), "-CAcreateserial"];
  openssl("x509", "-req", "-in", `${own}.csr`, ...ca, "-days", "1", "-extfile", `${own}.ext`, "-out", `${own}.crt`);
  return { certificate: read(`${name}.crt`), privateKey: read(`${name}.key`) };
}

/** A server's container, as the program starts it. @param command undefined: as the version before did */
function startServer(server: "server" | "replica", ...command: readonly string[]): void {
  const environment = {
    ...{ POSTGRES_USER: "orion_user", POSTGRES_DB: "orion_db", POSTGRES_PASSWORD: former },
    ...{ POSTGRES_INITDB_ARGS: "--data-checksums", PGUSER: "orion_user", PGDATABASE: "orion_db" },
  };
  must([
    ...["run", "--detach", "--init", "--pull", "never", "--network", prefix, "--name", named(server)],
    ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ...["--volume", `${named(`${server}-data`)}:/var/lib/postgresql/data`],
    ...["--volume", `${named(`${server}-files`)}:${filesDirectory}:ro`],
    ...[officialImages.postgres, ...command],
  ]);
}
const isReady = (server: "server" | "replica") =>
  eventually(() => {
    expect(run(["exec", named(server), "pg_isready", "-q", "-h", "127.0.0.1", "-U", "orion_monitor"]).code).toBe(0);
  });

/** SQL as the superuser, in the container. */
const inside = (sql: string, server: "server" | "replica" = "server"): string =>
  must(["exec", "-i", named(server), "psql", "-XqtA", "-v", "ON_ERROR_STOP=1"], sql);

const verifying = Object.entries(verifyingEnvironment).flatMap(([key, value]) => ["--env", `${key}=${value}`]);

/** A program in a container that clients run in; it has the authority's certificate. */
const inClient = (client: "psql" | "python", options: readonly string[], words: readonly string[], input = ""): Ran =>
  run(["exec", "--interactive", ...options, named(client), ...words], input);
const startClient = (client: "psql" | "python", image: string): string =>
  must([
    ...["run", "--detach", "--init", "--pull", "never", "--network", prefix, "--name", named(client)],
    ...["--volume", `${join(folder, "ca.crt")}:${authorityFile}:ro`, "--volume", `${folder}:/test:ro`],
    ...["--env", "PYTHONPATH=/test/drivers", "--entrypoint", "sleep", image, "infinity"],
  ]);

/** SQL over the network, as the program's containers connect. */
const over = (
  user: string,
  password: string,
  sql: string,
  options: readonly string[] = [],
  server: "server" | "replica" = "server",
): Ran =>
  inClient(
    "psql",
    [...verifying, ...options],
    [...["psql", "-XqtA", "-v", "ON_ERROR_STOP=1"], `postgresql://${user}:${password}@${named(server)}:5432/orion_db`],
    sql,
  );
const as = (
  client: "app" | "migrator" | "reader" | "backup" | "monitor",
  sql: string,
  options?: readonly string[],
): Ran => over(client === "app" ? "orion_app_a" : `orion_${client}`, `${client}-password`, sql, options);

type Allowed = Parameters<typeof hbaText>[1];
const everybodyBeside: Allowed = () => ({ beside: true, ranges: [] });

/** Writes a server's live files as the program does. */
async function write(
  clients: Allowed = everybodyBeside,
  server: "server" | "replica" = "server",
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { certificate, privateKey } = tls[server];
  await writeLiveFiles(
    {
      ...{ dockerHost: "unix:///var/run/docker.sock", volume: named(`${server}-files`), directory: filesDirectory },
      ...{ image: officialImages.postgres, check: ["test", "-s", `{}/${fileNames.hba}`] },
      files: {
        [fileNames.hba]: hbaText("orion_db", clients),
        ...{ [fileNames.certificate]: certificate, [fileNames.key]: privateKey },
        ...{ [fileNames.authority]: tls.authority, ...more },
      },
      ...{ container: named(server), reload: ["sh", "-c", reloadFiles] },
    },
    dockerBy(runProcess),
  );
}

const script = (text: string, variables: Readonly<Record<string, string>> = {}): Promise<void> =>
  runSqlScript(
    {
      ...{ dockerHost: "unix:///var/run/docker.sock", container: named("server"), timeoutSeconds: 60 },
      ...{ script: text, variables },
    },
    dockerBy(runProcess),
  );
const giveRoles = (rotation: number, app = "app-password") =>
  script(rolesScript({ database: "orion_db", extensions: ["pg_trgm"], rotation }), { ...passwords, app });

/** A program in the image of the sample application, which has psycopg 3, with the other drivers beside it. */
const python = (program: string, url: string, environment: Readonly<Record<string, string>>): Ran =>
  inClient(
    "python",
    Object.entries({ ...environment, DATABASE_URL: url }).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ["timeout", "10", "python", "-"],
    program,
  );

const connects: Readonly<Record<string, string>> = {
  "psycopg 2":
    "import os, psycopg2\nc = psycopg2.connect(os.environ['DATABASE_URL']).cursor()\nc.execute('SELECT current_user')\nprint(c.fetchone()[0])",
  "psycopg 3":
    "import os, psycopg\nprint(psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT current_user').fetchone()[0])",
  asyncpg:
    "import asyncio, asyncpg, os\nasync def main():\n    c = await asyncpg.connect(os.environ['DATABASE_URL'])\n    print(await c.fetchval('SELECT current_user'))\nasyncio.run(main())",
};

/** Answers every TLS client with a certificate of its own and asks for the password in clear text; prints what it gets. */
const impostor = `
import socket, ssl, struct, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/test/impostor.crt", "/test/impostor.key")
server = socket.create_server(("0.0.0.0", 5432))
print("listening", flush=True)
while True:
    plain, _ = server.accept()
    try:
        plain.recv(8); plain.sendall(b"S")
        client = context.wrap_socket(plain, server_side=True)
        client.recv(4096)
        client.sendall(b"R" + struct.pack("!ii", 8, 3))
        print("received", client.recv(4096), flush=True)
        client.close()
    except Exception as error:
        print("refused", type(error).__name__, flush=True)
    plain.close()
`;

beforeAll(async () => {
  folder = temporaryFolder("postgres");
  // For the user of the sample application's image.
  chmodSync(folder, 0o755);
  must(["network", "create", prefix]);
  const { stdout } = spawnSync("node", ["images/build.ts", "app", "postgres"], { encoding: "utf8" });
  appImage = /^(orion\/sample-app:\S+)/m.exec(stdout)?.[1] ?? "";
  installDrivers(join(folder, "drivers"));
  tls = { authority: makeAuthority("ca"), server: certify("server", "ca"), replica: certify("replica", "ca") };
  startClient("psql", officialImages.postgres);
  startClient("python", appImage);
  // The version before: its clients are the superuser, and its tables belong to the superuser.
  startServer("server", "postgres");
  await isReady("server");
  inside(`CREATE TABLE orders (id serial PRIMARY KEY, name text); INSERT INTO orders (name) VALUES ('first');
    CREATE SCHEMA billing; CREATE TABLE billing.invoices (id int GENERATED ALWAYS AS IDENTITY, n int);
    CREATE VIEW newest AS SELECT max(id) AS id FROM orders; CREATE TYPE state AS ENUM ('new');
    CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
    CREATE EXTENSION citext; CREATE EXTENSION pg_stat_statements;`);
});
afterAll(() => {
  for (const name of docker("ps", "--all", "--filter", `name=${prefix}`, "--format", "{{.Names}}")) {
    docker("rm", "--force", "--volumes", name);
  }
  for (const name of docker("volume", "ls", "--filter", `name=${prefix}`, "--format", "{{.Name}}")) {
    docker("volume", "rm", name);
  }
  docker("network", "rm", prefix);
});

test("the version before: an injected statement is a shell, and its tables are the superuser's", () => {
  const shell = "CREATE TEMP TABLE t (l text); COPY t FROM PROGRAM 'id'; SELECT l FROM t";
  expect(
    over("orion_user", former, shell, ["--env", "PGSSLMODE=disable", "--env", "PGCHANNELBINDING=disable"]).output,
  ).toContain("uid=999");
});

test("an update takes it over: while a client of the version before runs, and afterwards the superuser is let in no more", async () => {
  docker("stop", named("server"));
  docker("rm", named("server"));
  await write();
  startServer("server", ...tlsCommand({ ...postgresSettings(256), ...tlsSettings }));
  await isReady("server");
  // Before the roles are there nobody logs in.
  expect(over("orion_user", former, "SELECT 1").output).toMatch(/pg_hba.conf rejects connection/);
  await giveRoles(0);
  expect(over("orion_user", former, "SELECT count(*) FROM orders")).toEqual({ code: 0, output: "1" });
  expect(
    inside(`SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'billing'::regnamespace)
      AND relname !~ 'pg_stat'`),
  ).toBe("orion_owner");
  await script(endFormerLoginsScript(0, false));
  expect(over("orion_user", former, "SELECT 1").code).toBe(0);
  expect(
    inside("SELECT rolvaliduntil < now() + interval '16 minutes' FROM pg_roles WHERE rolname = 'orion_user'"),
  ).toBe("t");
  inside("ALTER ROLE orion_user VALID UNTIL '2020-01-01'");
  expect(over("orion_user", former, "SELECT 1").output).toMatch(/password authentication failed/);
  await script(endFormerLoginsScript(0, false));
  expect(over("orion_user", former, "SELECT 1").output).toMatch(/pg_hba.conf rejects connection/);
  expect(inside("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'orion_user'")).toBe("t");
});

describe("what each role may do", () => {
  const refused = [
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "CREATE TEMP TABLE t (l text); COPY t FROM PROGRAM 'id'",
    "SELECT pg_read_file('/etc/passwd')",
    "ALTER SYSTEM SET archive_command = 'id'",
    "CREATE TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION hstore",
    "DROP TABLE orders",
    "TRUNCATE orders",
    "ALTER TABLE orders ADD COLUMN x int",
    "CREATE ROLE mine",
    "ALTER ROLE orion_migrator PASSWORD 'x'",
    "SET ROLE orion_owner",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orion_user'",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_drop_replication_slot('x')",
    "SELECT lo_import('/etc/passwd')",
  ];
  test.each(refused)("not the app: %s", (sql) => {
    expect(as("app", sql)).toEqual({
      code: 3,
      output: expect.stringMatching(/permission denied|must be|only superuser|not have|superuser/) as unknown,
    });
  });

  test("the app reads and writes rows of what was there before and of what a migration creates", () => {
    const dml =
      "INSERT INTO orders (name) VALUES ('second'); UPDATE orders SET name = 'x'; DELETE FROM orders WHERE id = 1;";
    expect(as("app", `${dml} INSERT INTO billing.invoices (n) VALUES (twice(1)); SELECT count(*) FROM newest`)).toEqual(
      {
        code: 0,
        output: "1",
      },
    );
    const migration = `CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE SCHEMA later; CREATE TABLE later.things (id bigserial, n int);
      SELECT current_user, session_user`;
    expect(as("migrator", migration)).toEqual({
      code: 0,
      output: expect.stringMatching(/^orion_owner\|orion_migrator$/m) as unknown,
    });
    expect(as("app", "INSERT INTO later.things (n) VALUES (7); SELECT n FROM later.things").output).toBe("7");
    expect(as("reader", "SELECT n FROM later.things").output).toBe("7");
    expect(as("reader", "DELETE FROM later.things").output).toContain("permission denied");
    expect(as("monitor", "SELECT n FROM later.things").output).toContain("permission denied");
    expect(as("monitor", "SELECT count(*) > 0 FROM pg_stat_activity WHERE query <> ''").output).toBe("t");
  });

  test("the backup's role dumps everything, and all roles without their passwords", () => {
    const login = [
      `PGHOST=${named("server")}`,
      "PGUSER=orion_backup",
      "PGPASSWORD=backup-password",
      "PGDATABASE=orion_db",
    ];
    const dump = (...words: string[]) =>
      inClient("psql", [...verifying, ...login.flatMap((one) => ["--env", one])], words);
    inside("SELECT lo_create(4711); ALTER TABLE orders ENABLE ROW LEVEL SECURITY;");
    const whole = dump("pg_dump");
    inside("ALTER TABLE orders DISABLE ROW LEVEL SECURITY");
    expect([whole.code, whole.output.includes("later.things"), whole.output.includes("lo_create('4711')")]).toEqual([
      0,
      true,
      true,
    ]);
    const globals = dump(
      "pg_dumpall",
      "--globals-only",
      "--no-tablespaces",
      "--no-role-passwords",
      "--database",
      "orion_db",
    );
    expect([globals.code, globals.output]).toEqual([
      0,
      expect.stringContaining("SET role TO 'orion_owner'") as unknown,
    ]);
    expect(as("backup", "DELETE FROM orders").output).toContain("permission denied");
  });

  test("only to its own database, over TLS, and from the addresses of its services", async () => {
    expect(as("app", "SELECT 1", ["--env", "PGSSLMODE=disable", "--env", "PGCHANNELBINDING=disable"]).output).toMatch(
      /no encryption/,
    );
    expect(inside("SELECT has_database_privilege('orion_app_a', 'postgres', 'CONNECT')")).toBe("f");
    // Only workers here, only apps elsewhere: the file is read again, and nothing restarts.
    const started = docker("inspect", "--format", "{{.State.StartedAt}}", named("server"));
    await write((kinds) => ({
      beside: !kinds.includes("app"),
      ranges: kinds.includes("app") ? ["10.20.1.101/32"] : [],
    }));
    expect(as("app", "SELECT 1").output).toMatch(/pg_hba.conf rejects connection/);
    expect(as("migrator", "SELECT 1").code).toBe(0);
    await write();
    expect(as("app", "SELECT 1").code).toBe(0);
    expect(docker("inspect", "--format", "{{.State.StartedAt}}", named("server"))).toEqual(started);
  });
});

test("a rotation: the app's other role with a new password; the one before is let in for a while", async () => {
  await giveRoles(1, "new-password");
  expect(over("orion_app_b", "new-password", "SELECT count(*) FROM orders").code).toBe(0);
  expect(as("app", "SELECT 1").code).toBe(0);
  await script(endFormerLoginsScript(1, false));
  expect(as("app", "SELECT 1").code).toBe(0);
  expect(
    inside("SELECT rolvaliduntil < now() + interval '16 minutes' FROM pg_roles WHERE rolname = 'orion_app_a'"),
  ).toBe("t");
  await giveRoles(2);
  expect(as("app", "SELECT 1").code).toBe(0);
  await script(endFormerLoginsScript(2, false));
  expect(
    inside("SELECT rolvaliduntil < now() + interval '16 minutes' FROM pg_roles WHERE rolname = 'orion_app_b'"),
  ).toBe("t");
});

test("pages have checksums, logins and changes of the schema are logged, passwords are not", () => {
  expect(inside("SHOW data_checksums")).toBe("on");
  const log = must(["logs", named("server")]);
  expect(log).toMatch(/user=orion_app_a,db=orion_db,host=\S+ LOG: {2}connection authorized: .*SSL enabled/);
  expect(log).toMatch(/statement: CREATE EXTENSION IF NOT EXISTS pg_trgm/);
  expect(Object.values(passwords).filter((password) => log.includes(password))).toEqual([]);
});

test("a replica verifies its primary, has the roles with the data, and lets the same clients in when it is promoted", async () => {
  const source = { host: named("server"), port: "5432", slot: "replica_1" };
  await runSqlScript(
    {
      ...{ dockerHost: "unix:///var/run/docker.sock", container: named("server"), timeoutSeconds: 60 },
      ...{ script: createSlotScript, variables: { slot: source.slot } },
    },
    dockerBy(runProcess),
  );
  // Fewer connections than the primary, whose lower number it has not replayed yet.
  const settings = { ...postgresSettings(256, 40), ...tlsSettings, ...replicaSettings(source) };
  const passwordFile = { [fileNames.passwords]: passwordsText(source, "replication-password") };
  await write(everybodyBeside, "replica", passwordFile);
  startServer("replica", ...replicaCommand(source, settings));
  await isReady("replica");
  expect(inside("SHOW max_connections", "replica")).toBe(inside("SHOW max_connections"));
  expect(inside("SELECT ssl, usename FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)")).toBe(
    "t|orion_replication",
  );
  const on = (user: string, password: string, sql: string) => over(user, password, sql, [], "replica");
  inside("INSERT INTO orders (name) VALUES ('replicated')");
  await eventually(() => {
    expect(on("orion_reader", "reader-password", "SELECT 1 FROM orders WHERE name = 'replicated'").output).toBe("1");
  });
  expect(on("orion_user", former, "SELECT 1").output).toMatch(/pg_hba.conf rejects connection/);
  expect(on("orion_app_a", "app-password", "DELETE FROM orders").output).toContain("read-only transaction");
  inside("SELECT pg_promote()", "replica");
  expect(on("orion_app_a", "app-password", "INSERT INTO orders (name) VALUES ('new') RETURNING name").output).toBe(
    "new",
  );
  expect(on("orion_migrator", "migrator-password", "ALTER TABLE orders ADD COLUMN later int").code).toBe(0);

  // An impostor at the primary's address: a first copy is refused before the password is sent.
  docker("rm", "--force", "--volumes", named("replica"));
  docker("volume", "rm", named("replica-data"));
  tls = { ...tls, authority: makeAuthority("third") };
  await write(everybodyBeside, "replica", passwordFile);
  startServer("replica", ...replicaCommand(source, settings));
  await eventually(() => {
    expect(run(["logs", named("replica")]).output).toContain("certificate verify failed");
  });
  docker("rm", "--force", "--volumes", named("replica"));
});

describe.each(Object.entries(connects))("%s", (_, program) => {
  const url = (host: string) => `postgresql://orion_app_a:app-password@${host}:5432/orion_db`;

  test("connects with what the contract gives it", () => {
    expect(python(program, url(named("server")), verifyingEnvironment)).toEqual({ code: 0, output: "orion_app_a" });
  });

  test("gives an impostor nothing, which got the password of a client that does not verify", async () => {
    makeAuthority("other");
    certify("impostor", "other");
    docker("rm", "--force", named("impostor"));
    must([
      ...["run", "--detach", "--init", "--pull", "never", "--network", prefix, "--name", named("impostor")],
      ...["--user", "0", "--volume", `${folder}:/test:ro`, appImage, "python", "-c", impostor],
    ]);
    const log = () => must(["logs", named("impostor")]);
    await eventually(() => {
      expect(log()).toContain("listening");
    });
    python(program, url(named("impostor")), { PGSSLMODE: "require" });
    expect(log()).toContain("app-password");
    const before = log().length;
    expect(python(program, url(named("impostor")), verifyingEnvironment).output).toMatch(/certificate verify failed/i);
    expect(log().slice(before)).toContain("refused");
    expect(log().slice(before)).not.toContain("received");
  });
});
