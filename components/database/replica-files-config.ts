/** How a base backup reads the files of a replica: pgBackRest's server beside the replica, its client in the primary's container. Pure. */
import { replicaFilesPorts } from "../../topology/services/replica-files.ts";
import { stanza } from "./archive-config.ts";
import { containerDataFolder } from "./data-folders.ts";
import { databaseName } from "./database-url.ts";
import { ownDirectory, ownFile } from "./postgres-tls.ts";
import { loginRoles } from "./role-names.ts";

/** Where the server's live files are mounted. */
export const replicaFilesDirectory = "/etc/orion-replica-files";

/** Names of the server's live files. */
export const replicaFilesNames = {
  configuration: "pgbackrest.conf",
  /** How it logs in to the replica; libpq demands no narrow permissions of it, as of a password file. */
  login: "pg_service.conf",
  certificate: "server.crt",
  key: "server.key",
  authority: "ca.crt",
} as const;

const serverFile = (file: keyof typeof replicaFilesNames): string =>
  `${replicaFilesDirectory}/current/${replicaFilesNames[file]}`;

/** The name in the certificate of the only client that the server lets in: the archive's commands. */
export const archiveClient = "archive";

/** Names of the client's live files, among those of the primary. */
export const archiveClientFiles = { certificate: "archive.crt", key: "archive.key" } as const;

/** Text of the server's configuration: it knows no repository, so it can read the replica's files and nothing else. */
export const replicaFilesConfiguration = `[global]
tls-server-address=*
tls-server-port=${replicaFilesPorts.backrest}
tls-server-auth=${archiveClient}=${stanza}
tls-server-ca-file=${serverFile("authority")}
tls-server-cert-file=${serverFile("certificate")}
tls-server-key-file=${serverFile("key")}
log-level-file=off
log-level-console=warn
`;

const libpqService = "replica";

/**
 * Text of the file with which it logs in to the replica, over the container network: the replica's socket is in its container.
 *
 * @param replica the replica's name in its certificate
 */
export const loginText = (replica: string, password: string): string => `[${libpqService}]
host=${replica}
password=${password}
sslmode=verify-full
sslrootcert=${serverFile("authority")}
channel_binding=require
connect_timeout=10
`;

export const replicaFilesEnvironment: Readonly<Record<string, string>> = {
  ...{ PGBACKREST_CONFIG: serverFile("configuration"), PGSERVICEFILE: serverFile("login"), PGSERVICE: libpqService },
};

export const replicaFilesCommand = ["pgbackrest", "server"] as const;

/** The user of the image that owns the replica's files. */
export const replicaFilesUser = "postgres";

/** How its live files are read, checked and put into use. */
export const replicaFilesAccess = {
  readableByGroupOf: "/var/lib/postgresql",
  check: ["test", "-s", `{}/${replicaFilesNames.configuration}`],
  // Its first process passes the signal on.
  reload: ["sh", "-c", "kill -HUP 1"],
};

/** Where the primary's server reaches a replica's files. */
export interface ReplicaFilesAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * Options of pgBackRest's `backup`, which then takes from the replica what both have alike, nearly all, and the rest from the primary.
 * They are in no configuration, since every other command would connect to the replica, too.
 */
export const replicaOptions = ({ address, port }: ReplicaFilesAddress): string[] => {
  const own = (file: keyof typeof archiveClientFiles) => `${ownDirectory}/${archiveClientFiles[file]}`;
  return [
    "--backup-standby",
    ...["--pg2-host-type=tls", `--pg2-host=${address}`, `--pg2-host-port=${port}`],
    ...[`--pg2-host-cert-file=${own("certificate")}`, `--pg2-host-key-file=${own("key")}`],
    `--pg2-host-ca-file=${ownFile("authority")}`,
    ...[`--pg2-path=${containerDataFolder}`, `--pg2-user=${loginRoles.backup}`, `--pg2-database=${databaseName}`],
    // A replica's server that is gone is noticed within a minute.
    ...["--tcp-keep-alive-idle=30", "--tcp-keep-alive-interval=10", "--tcp-keep-alive-count=3"],
  ];
};
