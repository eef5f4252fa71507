/** PostgreSQL as its clients see it, and the choice between the ways in which a stack can have it. */
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../config/schema.ts";
import { servicesOf } from "../../topology/topology.ts";
import type { Context } from "../context.ts";
import type { Storage } from "../storage/storage.ts";
import { Backup } from "./backup.ts";
import { Database } from "./database.ts";
import { externalPostgres } from "./external.ts";
import { replicatedPostgres } from "./replicated.ts";
import { singlePostgres } from "./single.ts";

/** How the platform's database is reached. All URLs are secrets. */
export interface Postgres {
  /** `postgresql://` URL with which processes on a server read and write. */
  readonly url: (server: string) => pulumi.Output<string>;
  /** URL for reads that may be a moment old. @returns undefined where only the primary can be read */
  readonly readUrl: (server: string) => pulumi.Output<string> | undefined;
  /** URL of the primary itself, for migrations and operators: no pooler is between. */
  readonly adminUrl: pulumi.Output<string>;
  /** What has to exist before a client connects. */
  readonly ready: readonly pulumi.Resource[];
}

type Maker = (context: Context) => Postgres;

const makers: Readonly<Record<Settings["database"]["availability"], Maker>> = {
  single: singlePostgres,
  replica: replicatedPostgres,
  patroni: () => {
    throw new Error("config/presets.ts says that orion:database.availability patroni is not built");
  },
};

/** The platform's database, as its traits ask for it. */
export function createPostgres(context: Context): Postgres {
  const { mode, availability } = context.settings.database;
  return mode === "external" ? externalPostgres(context) : makers[availability](context);
}

/** Backups of the database into a bucket of their own. */
export function createBackups(
  { settings, topology, runtimes, parent }: Context,
  postgres: Postgres,
  { backups }: Storage,
): void {
  for (const service of servicesOf(topology, "backup")) {
    if (!backups) throw new Error("a plan with backups has a bucket for them");
    const args = {
      ...{ place: runtimes.of(service), store: backups, external: settings.database.mode === "external" },
      // A replica has the same data, and less to do.
      databaseUrl: postgres.readUrl(service.server) ?? postgres.adminUrl,
    };
    new Backup("backup", args, { parent, dependsOn: [...postgres.ready] });
  }
}

/** A database in memory that tests fill and throw away. */
export function createTestDatabase({ topology, runtimes, parent }: Context): void {
  for (const service of servicesOf(topology, "test-database")) {
    new Database("test-database", { place: runtimes.of(service), service, data: { kind: "memory" } }, { parent });
  }
}
