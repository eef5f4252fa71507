/** What is said of external services, from facts about them. */
import { lineOf } from "../../../policy/dangers.ts";
import {
  type DatabaseFacts,
  judgeDatabase,
  type NotReached,
  usableConnections,
} from "../../../policy/external-database.ts";
import { judgeRedis, type RedisFacts } from "../../../policy/external-redis.ts";
import { readExternalUrl, secretsOf, withoutPassword } from "../../../policy/external-url.ts";
import { settingsOf } from "../support/settings.ts";

const secrets = ["databaseUrl", "redisUrl", "brokerUrl"] as const;
const external = { database: { mode: "external" }, cache: { mode: "external" } };
const settings = settingsOf("mvp", external, secrets);
const url = (text: string) => {
  const read = readExternalUrl(text);
  if (!read) throw new Error(text);
  return read;
};
const verified = "postgresql://app:pw-secret@db.example.com/shop?sslmode=verify-full&sslrootcert=/ca.pem";
const reached = {
  from: "server",
  firstMs: 30,
  nextMs: [20, 21, 22],
  roundMs: [1, 2, 3],
  encrypted: true,
  offersTls: true,
} as const;

const database = (change: Partial<DatabaseFacts> = {}): DatabaseFacts => ({
  ...{
    ...reached,
    url: url(verified),
    verifies: true,
    version: 150_020,
    standby: false,
    readOnly: false,
    pooled: false,
  },
  ...{ maxConnections: 200, reserved: 3, roleLimit: undefined, databaseLimit: undefined, usedConnections: 5 },
  ...{ isSuperuser: false, mayCreateInSchema: true, mayCreateInDatabase: true, encoding: "UTF8", clientMajor: 15 },
  extensions: [{ name: "pg_trgm", installed: false, trusted: true }],
  ...change,
});
const redis = (change: Partial<RedisFacts> = {}): RedisFacts => ({
  ...{
    ...reached,
    url: url("rediss://app:pw-secret@r.example.com/1?ssl_cert_reqs=required"),
    version: "7.2.4",
    runId: "a",
  },
  ...{ role: "master", cluster: false, policy: "noeviction", maxMemory: 0, usedMemory: 0, appendOnly: true },
  ...{ snapshots: true, maxClients: 1000, clients: 3, denied: [] },
  ...change,
});

const said = (facts: DatabaseFacts | NotReached, own: Readonly<Record<string, unknown>> = {}) =>
  judgeDatabase(facts, settingsOf("mvp", { ...external, ...own }, secrets)).map(
    (one) => `${one.severity} ${lineOf(one)}`,
  );

test("services that fit are told nothing", () => {
  expect(said(database())).toEqual([]);
  const cache = redis({ url: url("rediss://app:x@c.example.com/0"), runId: "b", policy: "allkeys-lru", maxMemory: 1 });
  expect(judgeRedis({ brokerUrl: redis(), redisUrl: cache }, settings)).toEqual([]);
});

test.each<[string, Partial<DatabaseFacts>, RegExp]>([
  ["no TLS", { offersTls: false, encrypted: false }, /^refused database\.tls the server speaks no TLS/],
  [
    "a URL that does not insist",
    { url: url("postgresql://app:x@h/shop") },
    /^refused database\.tls .*sslmode=prefer.* add sslmode=verify-full/,
  ],
  [
    "a URL that does not verify",
    { url: url("postgresql://app:x@h/shop?sslmode=require") },
    /^danger database\.tls .*sslmode=require/,
  ],
  ["an old version", { version: 140_012 }, /^refused database\.version .*PostgreSQL 14/],
  [
    "a version that backups cannot read",
    { version: 170_002 },
    /^refused database\.version .*pg_dump 15.*postgres:17-bookworm/,
  ],
  ["another version", { version: 160_002, clientMajor: 16 }, /^danger database\.version .*PostgreSQL 16/],
  ["an encoding", { encoding: "SQL_ASCII" }, /^refused database\.encoding .*SQL_ASCII/],
  ["a standby", { standby: true, readOnly: true }, /^refused database\.writes the server is a standby/],
  ["read-only", { readOnly: true }, /^refused database\.writes transactions are read-only/],
  ["no right to create", { mayCreateInSchema: false }, /^refused database\.rights the role app .*GRANT CREATE/],
  ["a pooler", { pooled: true }, /^refused database\.pooler .*advisory locks/],
  [
    "few connections",
    { maxConnections: 60 },
    /^refused database\.maxConnections .*57 connections \(max_connections 60, 3 of them.*orion:database\.maxConnections 57/,
  ],
  [
    "very few connections",
    { databaseLimit: 20 },
    /^refused database\.maxConnections .*the database's limit.*larger plan/,
  ],
  ["latency", { roundMs: [1, 8, 30] }, /^danger database\.latency .*8\.0 ms \(median of 3/],
  ["a pause", { firstMs: 1800 }, /^danger database\.pause the first connection took 1\.8 s, those after it 21 ms/],
  [
    "its own container",
    { url: url("postgresql://app:x@localhost/shop?sslmode=verify-full") },
    /^refused database\.connection .*the container itself/,
  ],
])("PostgreSQL: %s", (_, change, expected) => {
  const lines = said(database(change));
  expect(lines).toEqual([expect.stringMatching(expected)]);
  expect(lines.join()).not.toContain("pw-secret");
});

test("PostgreSQL: extensions, and what the stack agrees to", () => {
  const own = { database: { mode: "external", extensions: ["pg_trgm", "postgis"] } };
  expect(said(database(), own)).toEqual([
    expect.stringMatching(/^refused database\.extensions\.pg_trgm .*as app: CREATE EXTENSION "pg_trgm"$/),
    expect.stringMatching(/^refused database\.extensions\.postgis the server does not have/),
  ]);
  expect(said(database({ mayCreateInDatabase: false }), own)[0]).toMatch(/as the provider's administrator/);
  expect(said(database({ pooled: true }), { agreed: ["database.pooler"] })).toEqual([
    expect.stringMatching(/^danger database\.pooler/),
  ]);
  // On the developer's machine a database without TLS is as it was.
  expect(judgeDatabase(database({ offersTls: false }), settingsOf("development", external, secrets))[0]?.severity).toBe(
    "danger",
  );
});

test.each<[string, string, RegExp]>([
  ["no URL", "", /^refused database\.connection orion:databaseUrl is no URL/],
  ["a firewall", "timeout expired", /^refused .*let its firewall admit/],
  ["a password", 'FATAL:  password authentication failed for user "app"', /^refused .*%40/],
  ["a name", 'could not translate host name "x"', /^refused .*check the host name/],
  ["a certificate", "SSL error: certificate verify failed", /^refused .*sslrootcert/],
])("a service that does not answer: %s", (_, problem, expected) => {
  const facts = { url: problem === "" ? undefined : url(verified), from: "server", problem, unasked: false } as const;
  expect(said(facts)).toEqual([expect.stringMatching(expected)]);
});

test("before the stack has servers, a firewall may be as it should be; what nobody asked stops nothing", () => {
  const facts = { url: url(verified), from: "machine", problem: "timeout expired", unasked: false } as const;
  expect(said(facts)).toEqual([expect.stringMatching(/^danger .*from this machine/)]);
  expect(said({ ...facts, problem: "password authentication failed" })[0]).toMatch(/^refused/);
  expect(said({ ...facts, problem: "no Docker", unasked: true })).toEqual([
    expect.stringMatching(/^danger .*was not asked: no Docker/),
  ]);
});

test.each<[string, Partial<RedisFacts>, RegExp]>([
  ["an eviction", { policy: "allkeys-lru" }, /^refused broker\.policy maxmemory-policy is allkeys-lru/],
  ["an unknown policy", { policy: undefined }, /^danger broker\.policy/],
  ["no TLS", { url: url("redis://a:x@h/1"), encrypted: false }, /^refused broker\.tls .*the server speaks TLS there/],
  ["Celery's parameter", { url: url("rediss://a:x@h/1") }, /^refused broker\.tls Celery accepts no/],
  [
    "an unverified server",
    { url: url("rediss://a:x@h/1?ssl_cert_reqs=none") },
    /^danger broker\.tls .*does not verify/,
  ],
  ["a replica", { role: "slave" }, /^refused broker\.writes/],
  ["a cluster", { cluster: true }, /^refused broker\.cluster/],
  ["an old version", { version: "5.0.14" }, /^refused broker\.version/],
  ["a newer version", { version: "8.0.1" }, /^danger broker\.version/],
  ["no persistence", { appendOnly: false, snapshots: false }, /^danger broker\.persistence .*nothing to disk/],
  ["snapshots alone", { appendOnly: false }, /^danger broker\.persistence .*now and then/],
  ["rights", { denied: ["brpop", "eval"] }, /^refused broker\.rights .*brpop; eval/],
  ["clients", { clients: 950 }, /^danger broker\.clients/],
])("the broker: %s", (_, change, expected) => {
  expect(judgeRedis({ brokerUrl: redis(change) }, settings).map((one) => `${one.severity} ${lineOf(one)}`)).toEqual([
    expect.stringMatching(expected),
  ]);
});

test("cache and broker in one server", () => {
  const names = (cache: string) =>
    judgeRedis({ brokerUrl: redis(), redisUrl: redis({ url: url(`rediss://a:x@h/${cache}`) }) }, settings).map(
      ({ severity, name }) => `${severity} ${name}`,
    );
  expect(names("0")).toEqual(["danger broker.database"]);
  expect(names("1")).toEqual(["refused broker.database"]);
});

test("URLs are read as clients read them, and their passwords are known as they are written", () => {
  const text = "postgres+asyncpg://app:p%40ss%2Fword@db.example.com:80/shop?sslmode=require";
  const read = url(text);
  expect(read).toEqual({
    ...{ scheme: "postgresql", host: "db.example.com", port: 80, user: "app", password: "p@ss/word", database: "shop" },
    parameters: { sslmode: "require" },
  });
  expect(withoutPassword(read)).toBe("postgresql://app@db.example.com:80/shop?sslmode=require");
  expect(secretsOf(text)).toEqual(expect.arrayContaining(["p@ss/word", "p%40ss%2Fword"]));
  expect(["", "http://a/b", "postgresql://a:b c@/x y", "db.example.com"].map(readExternalUrl)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(usableConnections(database({ isSuperuser: true }))).toBe(200);
});
