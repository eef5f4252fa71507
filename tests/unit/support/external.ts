/** Settings with external services, and what such services say that fit. */
import type { DatabaseFacts } from "../../../policy/external-database.ts";
import type { RedisFacts } from "../../../policy/external-redis.ts";
import { type ExternalUrl, readExternalUrl } from "../../../config/external-url.ts";
import { settingsOf } from "./settings.ts";

const modes = { database: { mode: "external" }, cache: { mode: "external" } };

/** Settings whose PostgreSQL and Redis are external. */
export const externalSettings = (phase: "mvp" | "development", more: Readonly<Record<string, unknown>> = {}) =>
  settingsOf(phase, { ...modes, ...more }, ["databaseUrl", "redisUrl", "brokerUrl"]);

export const urlOf = (text: string): ExternalUrl => {
  const read = readExternalUrl(text);
  if (!read) throw new Error(text);
  return read;
};

export const verified = "postgresql://app:pw-secret@db.example.com/shop?sslmode=verify-full&sslrootcert=/ca.pem";

const reached = {
  ...{ from: "server" as const, firstMs: 30, nextMs: [20, 21, 22], roundMs: [1, 2, 3] },
  ...{ encrypted: true, offersTls: true },
};

export const databaseFacts = (change: Partial<DatabaseFacts> = {}): DatabaseFacts => ({
  ...{ ...reached, url: urlOf(verified), verifies: true, version: 150_020 },
  ...{ standby: false, readOnly: false, pooled: false },
  ...{ maxConnections: 200, reserved: 3, roleLimit: undefined, databaseLimit: undefined, usedConnections: 5 },
  ...{ isSuperuser: false, mayCreateInSchema: true, mayCreateInDatabase: true, encoding: "UTF8", clientMajor: 15 },
  extensions: [{ name: "pg_trgm", installed: false, trusted: true }],
  ...change,
});

export const redisFacts = (change: Partial<RedisFacts> = {}): RedisFacts => ({
  ...{
    ...reached,
    url: urlOf("rediss://app:pw-secret@r.example.com/1?ssl_cert_reqs=required"),
    version: "7.2.4",
    runId: "a",
  },
  ...{ role: "master", cluster: false, policy: "noeviction", maxMemory: 0, usedMemory: 0, appendOnly: true },
  ...{ snapshots: true, maxClients: 1000, clients: 3, denied: [] },
  ...change,
});
