/** What is said of an external PostgreSQL, from facts about it. */
import { lineOf } from "../../../policy/findings.ts";
import { type DatabaseFacts, judgeDatabase, usableConnections } from "../../../policy/external-database.ts";
import { databaseFacts, externalSettings, urlOf } from "../support/external.ts";

const said = (facts: DatabaseFacts, own: Readonly<Record<string, unknown>> = {}) =>
  judgeDatabase(facts, externalSettings("mvp", own)).map((one) => `${one.severity} ${lineOf(one)}`);

test("a database that fits is told nothing", () => {
  expect(said(databaseFacts())).toEqual([]);
});

test.each<[string, Partial<DatabaseFacts>, RegExp]>([
  ["no TLS", { offersTls: false, encrypted: false }, /^refused database\.tls the server speaks no TLS/],
  [
    "a URL that does not insist",
    { url: urlOf("postgresql://app:x@h/shop") },
    /^refused database\.tls .*sslmode=prefer.* add sslmode=verify-full/,
  ],
  [
    "a URL that does not verify",
    { url: urlOf("postgresql://app:x@h/shop?sslmode=require") },
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
    "few connections, most of them in use",
    { maxConnections: 60, usedConnections: 55 },
    /^refused database\.maxConnections .*57 connections/,
  ],
  ["most connections in use", { usedConnections: 190 }, /^danger database\.connections 190 of 197/],
  [
    "very few connections",
    { databaseLimit: 20 },
    /^refused database\.maxConnections .*the database's limit.*larger plan/,
  ],
  ["latency", { roundMs: [1, 8, 30] }, /^danger database\.latency .*8\.0 ms \(median of 3/],
  ["a pause", { firstMs: 1800 }, /^danger database\.pause the first connection took 1\.8 s, those after it 21 ms/],
  [
    "its own container",
    { url: urlOf("postgresql://app:x@localhost/shop?sslmode=verify-full") },
    /^refused database\.connection .*the container itself/,
  ],
])("PostgreSQL: %s", (_, change, expected) => {
  const lines = said(databaseFacts(change));
  expect(lines).toEqual([expect.stringMatching(expected)]);
  expect(lines.join()).not.toContain("pw-secret");
});

test("PostgreSQL: extensions, and what the stack agrees to", () => {
  const own = { database: { mode: "external", extensions: ["pg_trgm", "postgis"] } };
  expect(said(databaseFacts(), own)).toEqual([
    expect.stringMatching(/^refused database\.extensions\.pg_trgm .*as app: CREATE EXTENSION "pg_trgm"$/),
    expect.stringMatching(/^refused database\.extensions\.postgis the server does not have/),
  ]);
  expect(said(databaseFacts({ mayCreateInDatabase: false }), own)[0]).toMatch(/as the provider's administrator/);
  expect(said(databaseFacts({ pooled: true }), { agreed: ["database.pooler"] })).toEqual([
    expect.stringMatching(/^danger database\.pooler/),
  ]);
  // On the developer's machine a database without TLS is as it was.
  const here = judgeDatabase(databaseFacts({ offersTls: false }), externalSettings("development"));
  expect(here[0]?.severity).toBe("danger");
});

test("a superuser may use the reserved connections too", () => {
  expect(usableConnections(databaseFacts())).toBe(197);
  expect(usableConnections(databaseFacts({ isSuperuser: true }))).toBe(200);
});
