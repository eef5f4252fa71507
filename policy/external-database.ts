/**
 * Judges what an external PostgreSQL has said about itself (guard/check-external.ts): everything that the platform needs and does
 * not find there, each with what mends it. Pure.
 */
import { publicAuthorities } from "../common/server-contract.ts";
import type { Settings } from "../config/schema.ts";
import {
  isFacts,
  median,
  type NotReached,
  ofAddress,
  ofNotReached,
  ofTimes,
  type Reached,
  shown,
  systemAuthorities,
} from "./external-service.ts";
import { asAgreed, danger, type Finding, refused } from "./findings.ts";

interface Extension {
  readonly name: string;
  readonly installed: boolean;
  readonly trusted: boolean;
}

export interface DatabaseFacts extends Reached {
  /** Whether the certificate has the name in the URL, and an authority that the URL or else the system trusts has signed it. */
  readonly verifies: boolean;
  /** PostgreSQL's `server_version_num`: 150020. */
  readonly version: number;
  /** Whether it only replays another server's changes. */
  readonly standby: boolean;
  /** Whether transactions are read-only by default. */
  readonly readOnly: boolean;
  /** Whether two connections have shared a process of the server: a pooler in transaction or statement mode. */
  readonly pooled: boolean;
  readonly maxConnections: number;
  /** Connections that superusers alone get. */
  readonly reserved: number;
  /** Limits of the role and of the database; undefined without one. */
  readonly roleLimit: number | undefined;
  readonly databaseLimit: number | undefined;
  readonly usedConnections: number;
  readonly isSuperuser: boolean;
  readonly mayCreateInSchema: boolean;
  readonly mayCreateInDatabase: boolean;
  readonly encoding: string;
  /** All that the server offers. */
  readonly extensions: readonly Extension[];
  /** Major version of the client that asked, whose `pg_dump` takes the backups. */
  readonly clientMajor: number;
}

export type DatabaseSettings = Pick<Settings, "hosting" | "database" | "agreed" | "app"> & {
  readonly storage: Pick<Settings["storage"], "backend">;
};

/** The oldest major version that its publisher maintains (14 ended on 12 November 2026), and what the platform is built on. */
const oldestMajor = 15;
const ownMajor = 15;

/** Everything that the platform needs and does not find; `refused` where it cannot run, `danger` where people notice it. */
export function judgeDatabase(facts: DatabaseFacts | NotReached, settings: DatabaseSettings): Finding[] {
  const findings = isFacts(facts)
    ? [
        ...ofAddress("database", "databaseUrl", facts.url),
        ...ofTls(facts, settings),
        ...ofVersion(facts, settings),
        ...ofWrites(facts),
        ...ofRights(facts, settings),
        ...ofPooler(facts),
        ...ofConnections(facts, settings),
        ...ofTimes("database", "PostgreSQL", facts),
      ]
    : ofNotReached("database", "databaseUrl", facts);
  return asAgreed(findings, settings.agreed);
}

function ofTls(
  { url, offersTls, verifies, clientMajor }: DatabaseFacts,
  { hosting, app }: DatabaseSettings,
): Finding[] {
  const mode = url.parameters["sslmode"] ?? app.environment["PGSSLMODE"] ?? "prefer";
  const name = "database.tls";
  const graver = hosting === "local" ? danger : refused;
  if (!offersTls)
    return [
      graver(
        name,
        "the server speaks no TLS: password and data cross the network in clear text",
        "switch TLS on at the provider",
      ),
    ];
  const instead = verifies
    ? `add ${systemAuthorities} to orion:databaseUrl`
    : "add sslmode=verify-full to orion:databaseUrl, and sslrootcert with the certificate of its authority, a file of the app's image";
  if (/^(disable|allow|prefer)$/.test(mode))
    return [
      graver(
        name,
        `orion:databaseUrl does not require TLS (sslmode=${mode}): a server that impersonates it would receive password and data`,
        instead,
      ),
    ];
  if (url.parameters["sslrootcert"] === "system" && clientMajor < 16)
    return [
      refused(
        name,
        `sslrootcert=system is understood by libpq 16 and later, and ${clientMajor} takes the backups`,
        `write sslrootcert=${publicAuthorities}`,
      ),
    ];
  if (/^verify-(ca|full)$/.test(mode)) return [];
  return [
    danger(
      name,
      `orion:databaseUrl does not verify the server (sslmode=${mode}): a server that impersonates it would receive the password`,
      instead,
    ),
  ];
}

function ofVersion({ version, clientMajor, encoding }: DatabaseFacts, { storage }: DatabaseSettings): Finding[] {
  const major = Math.floor(version / 10_000);
  const name = "database.version";
  const findings: Finding[] = [];
  if (major < oldestMajor)
    findings.push(
      refused(
        name,
        `the server is PostgreSQL ${major}, and the platform needs ${oldestMajor} or later`,
        `create one with PostgreSQL ${ownMajor} at the provider, and move the data with pg_dump and pg_restore`,
      ),
    );
  else if (storage.backend === "r2" && major > clientMajor)
    findings.push(
      refused(
        name,
        `the server is PostgreSQL ${major}, and pg_dump ${clientMajor} of orion:images.postgres cannot back it up`,
        `set orion:images.postgres to an image with PostgreSQL ${major}, such as postgres:${major}-bookworm`,
      ),
    );
  else if (major !== ownMajor)
    findings.push(
      danger(
        name,
        `the server is PostgreSQL ${major}; the platform is tested with ${ownMajor}, and a move to an own database needs orion:images.postgres with ${major}`,
      ),
    );
  if (encoding !== "UTF8")
    findings.push(
      refused(
        "database.encoding",
        `the database stores texts as ${encoding}`,
        "create it with ENCODING 'UTF8' TEMPLATE template0",
      ),
    );
  return findings;
}

function ofWrites({ standby, readOnly }: DatabaseFacts): Finding[] {
  const name = "database.writes";
  if (standby)
    return [
      refused(
        name,
        "the server is a standby: it refuses every write",
        "put the address of the primary into orion:databaseUrl",
      ),
    ];
  return readOnly
    ? [
        refused(
          name,
          "transactions are read-only there: it refuses every write",
          "the address may be that for reading, or the provider has set it because the disk is full, or a move of the database was cut off (docs/external.md)",
        ),
      ]
    : [];
}

function ofRights(facts: DatabaseFacts, { database, app }: DatabaseSettings): Finding[] {
  const role = facts.url.user;
  const findings: Finding[] = [];
  if (!facts.mayCreateInSchema && app.migrate.length > 0)
    findings.push(
      refused(
        "database.rights",
        `the role ${role} may create nothing in the schema, so that migrations fail`,
        `as the database's owner: GRANT CREATE, USAGE ON SCHEMA public TO ${role}`,
      ),
    );
  for (const wanted of database.extensions) {
    const found = facts.extensions.find(({ name }) => name === wanted);
    const name = `database.extensions.${wanted}`;
    if (!found)
      findings.push(
        refused(
          name,
          `the server does not have the extension ${wanted}`,
          "choose a provider or a plan that has it, or take it off orion:database.extensions",
        ),
      );
    else if (!found.installed) {
      const who =
        facts.isSuperuser || (found.trusted && facts.mayCreateInDatabase)
          ? `as ${role}`
          : "as the provider's administrator";
      findings.push(
        refused(
          name,
          `the extension ${wanted} is not in the database, and the program creates none in an external one`,
          `${who}: CREATE EXTENSION "${wanted}"`,
        ),
      );
    }
  }
  return findings;
}

const ofPooler = ({ pooled, url }: DatabaseFacts): Finding[] =>
  pooled
    ? [
        refused(
          "database.pooler",
          `${url.host}:${url.port} is a pooler in transaction mode: advisory locks (migrations), prepared statements (asyncpg, psycopg) and LISTEN work in one connection of PostgreSQL, and each transaction may get another one`,
          "put PostgreSQL's own address into orion:databaseUrl (Neon: without -pooler; Supabase: port 5432), or one of a pooler in session mode",
        ),
      ]
    : [];

/** What the server gives roles of this kind, for all of them and all databases together. */
const openConnections = ({ maxConnections, reserved, isSuperuser }: DatabaseFacts): number =>
  maxConnections - (isSuperuser ? 0 : reserved);

/** What the role can use at the same time. */
export const usableConnections = (facts: DatabaseFacts): number =>
  Math.min(openConnections(facts), facts.roleLimit ?? Infinity, facts.databaseLimit ?? Infinity);

function ofUsedConnections(facts: DatabaseFacts): Finding[] {
  const { usedConnections } = facts;
  const all = openConnections(facts);
  return usedConnections <= all * 0.9
    ? []
    : [
        danger(
          "database.connections",
          `${usedConnections} of ${all} connections are in use`,
          "SELECT usename, client_addr, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 lists them; lower orion:database.maxConnections or choose a larger plan",
        ),
      ];
}

function ofConnections(facts: DatabaseFacts, { database }: DatabaseSettings): Finding[] {
  const usable = usableConnections(facts);
  if (usable >= database.maxConnections) return ofUsedConnections(facts);
  const why =
    usable === facts.roleLimit
      ? "the role's limit"
      : usable === facts.databaseLimit
        ? "the database's limit"
        : `max_connections ${facts.maxConnections}, ${facts.reserved} of them reserved`;
  return [
    refused(
      "database.maxConnections",
      `the server gives the role ${usable} connections (${why}), and the pools of all processes are made for ${database.maxConnections}`,
      usable < 30
        ? "choose a larger plan: the platform needs 30 at least"
        : `pulumi config set --path orion:database.maxConnections ${usable}: the pools become smaller`,
    ),
  ];
}

/** What is in order, for people. */
export function rowsOfDatabase(facts: DatabaseFacts): string[] {
  const major = Math.floor(facts.version / 10_000);
  return [
    `PostgreSQL ${major}.${facts.version % 10_000} at ${facts.url.host}:${facts.url.port}, ${facts.encrypted ? "over TLS" : "without TLS"}`,
    `${facts.usedConnections} of ${usableConnections(facts)} connections in use`,
    `a round trip takes ${shown(median(facts.roundMs))}, a connection ${shown(median(facts.nextMs))}`,
  ];
}
