/** The check of external services, with real ones that are wrong in each way, and an update that they stop before anything is made. */
import { engineAt } from "../../guard/ask-images.ts";
import { askExternal, type ExternalUrls } from "../../guard/check-external.ts";
import { judgeExternal } from "../../guard/fitting-external.ts";
import { lineOf } from "../../policy/findings.ts";
import { ManagedLab, type ManagedPostgres } from "../../testing/managed-lab.ts";
import { docker, freePorts, Sandbox, succeed } from "../../testing/sandbox.ts";
import { settingsOf } from "../unit/support/settings.ts";

jest.setTimeout(240_000);

const lab = new ManagedLab(`orion-test-external-${process.pid}`);
let good: ManagedPostgres;
let goodRedis: string;
const rediss = () => `?ssl_cert_reqs=required&ssl_ca_certs=${lab.authority}`;
const external = { database: { mode: "external", maxConnections: 90 }, cache: { mode: "external" } };

/** What is said of services by a stack of phase mvp, a line each. */
async function said(urls: ExternalUrls, own: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const settings = settingsOf("mvp", { ...external, ...own }, ["databaseUrl", "redisUrl", "brokerUrl"]);
  const asked = await askExternal(settings, urls, { on: engineAt(undefined), isHere: true, appImage: undefined });
  return judgeExternal(asked, settings)
    .map((one) => `${one.severity} ${lineOf(one)}`)
    .join("\n");
}

beforeAll(async () => {
  good = await lab.startPostgres("good");
  goodRedis = await lab.startManagedRedis("broker", ["--appendonly", "yes", "--maxmemory-policy", "noeviction"]);
});
afterAll(() => {
  lab.dispose();
});

test("services that fit are told nothing, and no password is in the answer", async () => {
  good.sql("CREATE EXTENSION pg_trgm");
  const urls = {
    databaseUrl: good.url + lab.verifying,
    redisUrl: `${goodRedis}/0${rediss()}`,
    brokerUrl: `${goodRedis}/1${rediss()}`,
  };
  const text = await said(urls, { database: { ...external.database, extensions: ["pg_trgm"] } });
  expect(text).toMatch(/^danger broker\.database cache and broker are one server/);
  expect(text.split("\n").filter((line) => !/latency|pause/.test(line))).toHaveLength(1);
});

test("PostgreSQL: every way in which it does not fit, in one message", async () => {
  const bad = await lab.startPostgres("bad", { settings: ["max_connections=45"] });
  bad.sql("REVOKE ALL ON SCHEMA public FROM app, public; ALTER SCHEMA public OWNER TO postgres");
  bad.sql("ALTER ROLE app CONNECTION LIMIT 38; ALTER DATABASE shop SET default_transaction_read_only = on", "postgres");
  const text = await said(
    { databaseUrl: bad.url },
    { database: { ...external.database, extensions: ["pg_trgm", "postgis"] } },
  );
  expect(text).toMatch(/refused database\.tls .*sslmode=prefer.*Instead: add sslmode=verify-full/);
  expect(text).toMatch(/refused database\.writes transactions are read-only/);
  expect(text).toMatch(/refused database\.rights the role app may create nothing/);
  expect(text).toMatch(/refused database\.extensions\.pg_trgm .*as app: CREATE EXTENSION/);
  expect(text).toMatch(/refused database\.extensions\.postgis the server does not have/);
  expect(text).toMatch(
    /refused database\.maxConnections .* 38 connections \(the role's limit\).*orion:database\.maxConnections 38/,
  );
});

test("PostgreSQL: no TLS, another authority, a wrong password, a name that nobody has, a pooler", async () => {
  const plain = await lab.startPostgres("plain", { tls: false });
  expect(await said({ databaseUrl: plain.url })).toMatch(/refused database\.tls the server speaks no TLS/);
  const publicOnly = "?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt";
  expect(await said({ databaseUrl: good.url + publicOnly })).toMatch(
    /refused database\.connection .*certificate verify failed.*sslrootcert/,
  );
  const wrong = await said({ databaseUrl: good.url.replace("app-Password%2F1", "another-Password") + lab.verifying });
  expect(wrong).toMatch(/refused database\.connection .*password authentication failed/);
  expect(wrong).not.toContain("another-Password");
  expect(await said({ databaseUrl: "postgresql://app:secret@nowhere.invalid/shop" })).toMatch(
    /refused database\.connection nowhere\.invalid:5432 cannot be used: .*check the host name/,
  );
  const pooled = await lab.startPooler("transaction", "good", "transaction");
  expect(await said({ databaseUrl: pooled + lab.verifying })).toMatch(
    /refused database\.pooler .* pooler in transaction mode/,
  );
  const session = await lab.startPooler("session", "good", "session");
  expect(await said({ databaseUrl: session + lab.verifying })).not.toMatch(/database\.pooler/);
});

test("PostgreSQL: latency and a pause are measured", async () => {
  const port = await lab.slowed(good, { delayMs: 12, firstMs: 2500 });
  const text = await said({ databaseUrl: good.url.replace(String(good.port), String(port)) + lab.verifying });
  expect(text).toMatch(/danger database\.latency a round trip from the app's server takes \d\d ms \(median of 21/);
  expect(text).toMatch(/danger database\.pause the first connection took [2-9]\.\d s/);
});

test("Redis: every way in which it does not fit as a broker", async () => {
  const bad = await lab.startManagedRedis(
    "bad-redis",
    ["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru", "--save", "", "--databases", "1"],
    "~* &* +@all -@admin -@scripting -brpop",
  );
  const text = await said({ brokerUrl: `${bad}/0?ssl_ca_certs=${lab.authority}` });
  expect(text).toMatch(/refused broker\.policy maxmemory-policy is allkeys-lru/);
  expect(text).toMatch(/refused broker\.tls Celery accepts no rediss:\/\/ URL without ssl_cert_reqs/);
  expect(text).toMatch(/refused broker\.rights .*brpop; eval/);
  expect(await said({ redisUrl: `${bad}/3${rediss()}` })).toMatch(
    /refused cache\.connection .*DB index is out of range/,
  );
  expect(await said({ redisUrl: `${bad.replace("rediss", "redis")}/0` })).toMatch(/refused cache\.connection /);
  expect(await said({ redisUrl: `${goodRedis}/0?ssl_cert_reqs=required` })).toMatch(
    /refused cache\.connection .*certificate verify failed/,
  );
  expect(await said({ brokerUrl: `${goodRedis}/1${rediss()}`, redisUrl: `${goodRedis}/1${rediss()}` })).toMatch(
    /refused broker\.database .* one database/,
  );
});

test("make up is refused before anything is made, and make check-external says the same", async () => {
  const sandbox = new Sandbox(process.cwd(), "external", await freePorts());
  try {
    sandbox.configure({ ...external, services: ["app"] });
    succeed(sandbox.pulumi("stack", "init"));
    const set = (key: string, value: string) => succeed(sandbox.pulumi("config", "set", "--secret", key, value));
    set("databaseUrl", good.url + lab.verifying);
    set("redisUrl", `${goodRedis}/0${rediss()}`);
    set("brokerUrl", `${goodRedis}/0${rediss()}`);
    for (const command of ["check-external", "up"]) {
      const { code, output } = sandbox.make(command);
      expect(output).toMatch(/The external services do not fit this stack; nothing was changed:\n\s+broker\.database/);
      expect(code).not.toBe(0);
      expect(output).not.toMatch(/app-Password/);
    }
    expect(docker("ps", "--all", "--quiet", "--filter", `label=stack=${sandbox.stack}`)).toEqual([]);
    set("brokerUrl", `${goodRedis}/1${rediss()}`);
    expect(succeed(sandbox.make("check-external"))).toMatch(
      /PostgreSQL 15\.\d+ at .* over TLS[^]*The external services fit/,
    );
    // A prompt there.
    const asked = succeed(sandbox.make("psql", {}, "SELECT current_user || ' of ' || current_database();\n"));
    expect(asked).toMatch(/^ *app of shop$/m);
    expect(docker("ps", "--all", "--quiet", "--filter", `name=${sandbox.stack}-psql`)).toEqual([]);
  } finally {
    sandbox.dispose();
  }
});
