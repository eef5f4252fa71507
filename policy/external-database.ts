/**
 * Judges what an external PostgreSQL has said about itself (guard/check-external.ts): everything that the platform needs and does
 * not find there, each with what mends it. Pure.
 */
import { publicAuthorities } from "../common/server-contract.ts";
import type { Settings } from "../config/schema.ts";
import type { Finding } from "./dangers.ts";
import type { ExternalUrl } from "./external-url.ts";
import { asAgreed, danger, refused } from "./findings.ts";

/** What is known of a service that was asked over the network. */
export interface Reached {
  readonly url: ExternalUrl;
  /** Where the client ran: `server`: beside the app; `machine`: on this machine, before the stack has servers. */
  readonly from: "server" | "machine";
  /** Milliseconds of the first connection, and of those after it. */
  readonly firstMs: number;
  readonly nextMs: readonly number[];
  /** Milliseconds of each round trip in one connection; empty when it could not be measured. */
  readonly roundMs: readonly number[];
  /** Whether the connection is encrypted. */
  readonly encrypted: boolean;
  /** Whether the server would encrypt a connection that asks for it. */
  readonly offersTls: boolean;
}

/** A service that could not be asked. */
export interface NotReached {
  readonly url: ExternalUrl | undefined;
  readonly from: "server" | "machine";
  /** Why, in the client's own words. */
  readonly problem: string;
  /** Whether nobody has asked: there is no Docker Engine or no image with a client. */
  readonly unasked: boolean;
}

export interface Extension {
  readonly name: string;
  readonly installed: boolean;
  readonly trusted: boolean;
}

export interface DatabaseFacts extends Reached {
  /** Whether name and certificate of the server stand up to the certificates that the URL, or else the system, trusts. */
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
export const ownMajor = 15;
/** A page asks some twenty times one after the other: at 5 ms each it takes a tenth of a second longer. */
export const slowRoundMs = 5;
/** A server that was paused starts within seconds; one that runs takes the same time for each connection. */
const pause = { leastMs: 500, times: 5 };

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

export const isFacts = <Facts extends object>(facts: Facts | NotReached): facts is Facts => !("problem" in facts);

/** Everything that the platform needs and does not find; `refused` where it cannot run, `danger` where somebody notices it. */
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
    : ofSilence("database", "databaseUrl", facts);
  return asAgreed(findings, settings.agreed);
}

/** What is said of a service that could not be asked. @param what the first part of the findings' names */
export function ofSilence(what: string, key: string, { url, from, problem, unasked }: NotReached): Finding[] {
  const name = `${what}.connection`;
  if (!url) {
    const form =
      what === "database" ? "postgresql://user:password@host:port/name" : "rediss://user:password@host:port/0";
    return [
      refused(name, `orion:${key} is no URL of such a service`, `set it: pulumi config set --secret ${key} ${form}`),
    ];
  }
  const own = ofAddress(what, key, url);
  if (own.length > 0) return own;
  const happens = `${url.host}:${url.port} cannot be used: ${problem}`;
  if (unasked) return [danger(name, `${url.host}:${url.port} was not asked: ${problem}`)];
  const firewall = "let its firewall admit the public addresses of the stack's servers";
  const advice = silenceAdvice.find(([pattern]) => pattern.test(problem))?.[1];
  if (advice !== undefined) return [refused(name, happens, advice(key))];
  // Before the stack has servers, a firewall that admits nobody else is as it should be.
  if (from === "machine")
    return [danger(name, `${happens} (from this machine; the stack has no server yet)`, firewall)];
  return [refused(name, happens, `${firewall}, and check host and port of orion:${key}`)];
}

const systemAuthorities = `sslmode=verify-full&sslrootcert=${publicAuthorities}`;

const silenceAdvice: readonly (readonly [RegExp, (key: string) => string])[] = [
  [
    /password authentication failed|no password supplied|WRONGPASS|NOAUTH|invalid password/i,
    (key) => `check user and password of orion:${key}; characters such as @ : / # are written %40 %3A %2F %23 in a URL`,
  ],
  [/database ".*" does not exist/, (key) => `create the database at the provider, or name another one in orion:${key}`],
  [
    /invalid URI query parameter/,
    (key) =>
      `leave the parameter out of orion:${key}: libpq, which takes the backups, does not know it; orion:app.environment is the place for what one driver needs`,
  ],
  [
    /root certificate file .* does not exist/,
    (key) =>
      `the file of sslrootcert in orion:${key} must be in the app's image; ${publicAuthorities} has the public authorities`,
  ],
  [
    /certificate verify failed|does not match host name|unable to get (local )?issuer|self.signed/i,
    (key) =>
      `use the host name that its certificate has, and name its authority's certificate in orion:${key} (sslrootcert, for Redis ssl_ca_certs), as a file of the app's image`,
  ],
  [/does not support SSL/, () => `switch TLS on at the provider`],
  [
    /no pg_hba\.conf entry .*no encryption|SSL.*required|require.*(SSL|TLS)/i,
    (key) => `add ${systemAuthorities} to orion:${key}`,
  ],
  [/DB index is out of range/, (key) => `use a service with more than one database, or number 0 in orion:${key}`],
  [
    /could not translate host name|Name or service not known|Temporary failure in name resolution/,
    (key) => `check the host name in orion:${key}`,
  ],
  [
    /too many (clients|connections)|remaining connection slots/,
    () => `end connections of other clients, or choose a larger plan`,
  ],
];

/** In a container, the loopback address is the container itself. */
export const ofAddress = (what: string, key: string, { host }: ExternalUrl): Finding[] =>
  /^(localhost|127\..*|\[::1\])$/.test(host)
    ? [
        refused(
          `${what}.connection`,
          `orion:${key} names ${host}, which is the container itself for every client`,
          "name an address that containers reach",
        ),
      ]
    : [];

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
        `orion:databaseUrl does not insist on TLS (sslmode=${mode}): who answers in the server's place gets password and data`,
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
      `orion:databaseUrl does not verify the server (sslmode=${mode}): who answers in its place gets the password`,
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
          "the address may be that for reading, or the provider has set it because the disk is full",
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

/** What the role can use at the same time. */
export const usableConnections = ({
  maxConnections,
  reserved,
  isSuperuser,
  roleLimit,
  databaseLimit,
}: DatabaseFacts): number =>
  Math.min(maxConnections - (isSuperuser ? 0 : reserved), roleLimit ?? Infinity, databaseLimit ?? Infinity);

function ofConnections(facts: DatabaseFacts, { database }: DatabaseSettings): Finding[] {
  const usable = usableConnections(facts);
  if (facts.usedConnections > usable * 0.9)
    return [
      danger(
        "database.connections",
        `${facts.usedConnections} of ${usable} connections are in use`,
        "SELECT usename, client_addr, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 says whose; lower orion:database.maxConnections or choose a larger plan",
      ),
    ];
  if (usable >= database.maxConnections) return [];
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

/** Latency, and a server that was asleep. */
export function ofTimes(what: string, program: string, { from, firstMs, nextMs, roundMs }: Reached): Finding[] {
  const round = median(roundMs);
  const where = from === "server" ? "the app's server" : "this machine, which is not where the app will run";
  const usual = Math.max(...nextMs, 1);
  return [
    ...(round > slowRoundMs
      ? [
          danger(
            `${what}.latency`,
            `a round trip from ${where} takes ${shown(round)} (median of ${roundMs.length}; more than ${slowRoundMs} ms is felt): every query of a page waits as long`,
            `choose ${program} in a region near the servers, such as Frankfurt for nbg1 and fsn1`,
          ),
        ]
      : []),
    ...(firstMs >= pause.leastMs && firstMs >= usual * pause.times
      ? [
          danger(
            `${what}.pause`,
            `the first connection took ${shown(firstMs)}, those after it ${shown(median(nextMs))}: it was paused, and the first visitors after each pause wait or get an error`,
            "switch scale-to-zero off at the provider",
          ),
        ]
      : []),
  ];
}

export const shown = (ms: number): string =>
  ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** What is in order, for people. */
export function rowsOfDatabase(facts: DatabaseFacts): string[] {
  const major = Math.floor(facts.version / 10_000);
  return [
    `PostgreSQL ${major}.${facts.version % 10_000} at ${facts.url.host}:${facts.url.port}, ${facts.encrypted ? "over TLS" : "without TLS"}`,
    `${facts.usedConnections} of ${usableConnections(facts)} connections in use`,
    `a round trip takes ${shown(median(facts.roundMs))}, a connection ${shown(median(facts.nextMs))}`,
  ];
}
