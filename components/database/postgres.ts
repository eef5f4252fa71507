/** The interface of the platform's PostgreSQL, and the choice of its implementation by `orion:database`. */
import type * as pulumi from "@pulumi/pulumi";
import { runsOwnDatabase } from "../../config/own-database.ts";
import type { Settings } from "../../config/schema.ts";
import { servicesOf } from "../../topology/topology.ts";
import { reachesOwnDatabase } from "../../topology/database-access.ts";
import type { Context } from "../context.ts";
import type { Storage } from "../storage/storage.ts";
import { Backup } from "./backup.ts";
import { BackupKey } from "./backup-key.ts";
import { Database } from "./database.ts";
import type { DatabaseClient } from "./role-names.ts";
import { externalPostgres } from "./external.ts";
import { replicatedPostgres } from "./replicated.ts";
import { singlePostgres } from "./single.ts";

/** How the platform's database is reached. All URLs are secrets. */
export interface Postgres {
  /** `postgresql://` URL with which the app's processes on a server read and write. */
  readonly url: (server: string) => pulumi.Output<string>;
  /** URL for reads that may be a moment old. @returns undefined where only the primary can be read */
  readonly readUrl: (server: string) => pulumi.Output<string> | undefined;
  /** URL at which a process of the platform's image reaches the primary itself, without a pooler: for migrations, session locks and `LISTEN`. */
  readonly directUrl: (client: DatabaseClient) => pulumi.Output<string>;
  /** URL of the primary at its own address, for backups, monitoring and people: each logs in as a role of its own. */
  readonly primaryUrl: (client: DatabaseClient) => pulumi.Output<string>;
  /** The same of the first replica. @returns undefined without a replica */
  readonly replicaUrl: (client: DatabaseClient) => pulumi.Output<string> | undefined;
  /** Password of the role that asks for a pooler who may log in; a secret. Undefined where there can be no pooler. */
  readonly poolerPassword: pulumi.Output<string> | undefined;
  /** Passwords by role that poolers know without asking; a secret. Undefined where they need none: where no data can be moved. */
  readonly poolerLogins: pulumi.Output<Readonly<Record<string, string>>> | undefined;
  /** Variables that a client at the primary's own address needs beside its URL, to verify the server; also the release. */
  readonly environment: Readonly<Record<string, string>>;
  /** The same for the other processes of the platform's image. */
  readonly processEnvironment: Readonly<Record<string, string>>;
  /** What has to exist before a client connects. */
  readonly ready: readonly pulumi.Resource[];
  /**
   * Ends the logins that only processes of the version before needed.
   *
   * @param clients what has to have replaced them
   */
  readonly endFormerLogins: (clients: readonly pulumi.Resource[]) => void;
}

/** What a database is created from. */
export interface DatabaseContext extends Context {
  /** pgBackRest's configuration; a secret. Undefined where the database does not archive. */
  readonly archive: pulumi.Output<string> | undefined;
}

type Maker = (context: DatabaseContext) => Postgres;

const makers: Readonly<Record<Settings["database"]["availability"], Maker>> = {
  single: singlePostgres,
  replica: replicatedPostgres,
  patroni: () => {
    throw new Error(
      "orion:database.availability patroni is not built; unbuiltTraits of config/presets.ts must refuse it",
    );
  },
};

/** Creates the platform's database. */
export function createPostgres(context: DatabaseContext): Postgres {
  const { mode, availability } = context.settings.database;
  if (mode === "provision") return makers[availability](context);
  const external = externalPostgres(context);
  if (!runsOwnDatabase(context.settings.database)) return external;
  // Its own one runs beside it, for a move back; no client uses it.
  const own = makers[availability](context);
  const { ready, endFormerLogins } = own;
  if (!reachesOwnDatabase(context.settings)) return { ...external, ready, endFormerLogins };
  // Processes stay at their poolers, which lead to it: a move replaces none of them.
  return {
    ...own,
    ...{ primaryUrl: external.primaryUrl, replicaUrl: external.replicaUrl, environment: external.environment },
    directUrl: (client) => (client === "app" ? own : external).directUrl(client),
  };
}

/**
 * Creates the backups of the database.
 *
 * @returns the private key that they are encrypted for, a secret; undefined without backups
 */
export function createBackups(
  { settings, topology, runtimes, authority, parent }: Context,
  postgres: Postgres,
  { backups }: Storage,
): pulumi.Output<string> | undefined {
  const services = servicesOf(topology, "backup");
  if (services.length === 0) return undefined;
  if (!backups) throw new Error("The plan has backups, but the storage has no bucket for them.");
  const key = new BackupKey("backup-key", settings, { parent });
  for (const service of services) {
    const args = {
      ...{ runtime: runtimes.of(service), store: backups, external: settings.database.mode === "external" },
      ...{ recipient: key.recipient, policy: settings.backups },
      // A replica has less load; the script asks the primary whether it has the same data.
      ...{ databaseUrl: postgres.primaryUrl("backup"), replicaUrl: postgres.replicaUrl("backup") },
      environment: postgres.environment,
    };
    new Backup("backup", args, { parent, dependsOn: [...postgres.ready, ...(authority?.ready ?? [])] });
  }
  return key.identity;
}

/** Creates the in-memory database for tests. */
export function createTestDatabase({ topology, runtimes, parent }: Context): void {
  for (const service of servicesOf(topology, "test-database")) {
    new Database("test-database", { runtime: runtimes.of(service), service, data: { kind: "memory" } }, { parent });
  }
}
