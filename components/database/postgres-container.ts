/** What the container of every PostgreSQL server has, the primary's and the replicas'. Pure. */
import type * as pulumi from "@pulumi/pulumi";
import { postgresProbe } from "../runtime/docker/health.ts";
import { archiveEnvironment, archiveSettings } from "./archive-config.ts";
import { containerDataFolder } from "./data-folders.ts";
import { databaseName } from "./database-url.ts";
import { loginRoles, superuser } from "./role-names.ts";

/** What a server's container and settings depend on. */
export interface PostgresServer {
  /** Memory limit of the container, in MiB. */
  readonly memoryMb: number;
  /** pgBackRest's configuration; a secret. @default - the server does not archive */
  readonly archive?: pulumi.Input<string> | undefined;
}

/** The image of a server: with pgBackRest where it archives. */
export const imageOf = ({ archive }: Pick<PostgresServer, "archive">): "database" | "postgres" =>
  archive === undefined ? "postgres" : "database";

/** Arguments of the container, without its command, files and data. */
export const postgresContainer = ({ memoryMb, archive }: PostgresServer) => ({
  image: imageOf({ archive }),
  health: postgresProbe(loginRoles.monitor, databaseName),
  shmMb: Math.max(64, Math.floor(memoryMb / 4)),
  stopSeconds: 60,
  environment: {
    // For operators and the program's own scripts: a plain `psql` in the container is the superuser, in the right database.
    ...{ PGUSER: superuser, PGDATABASE: databaseName },
    ...(archive !== undefined && archiveEnvironment),
    PGDATA: containerDataFolder,
  },
});

/** A server's settings, with those of the archive where it archives. */
export const withArchive = (
  settings: Readonly<Record<string, string>>,
  { archive }: Pick<PostgresServer, "archive">,
): Readonly<Record<string, string>> => ({ ...settings, ...(archive !== undefined && archiveSettings) });
