/** PostgreSQL's TLS: the files that a server reads, its settings, and what a client needs to verify it. Pure. */
import { authorityFile } from "../../common/server-contract.ts";
import { settingArguments } from "./postgres-settings.ts";

/** Where the volume with a server's live files is mounted; not below /etc/orion, where a read-only volume may be. */
export const filesDirectory = "/etc/orion-postgres";

/** Names of the live files. */
export const fileNames = {
  hba: "pg_hba.conf",
  certificate: "server.crt",
  key: "server.key",
  /** Of the authority that signed its primary's certificate. */
  authority: "ca.crt",
  /** Of the replication role, as libpq reads it. */
  passwords: "passwords",
} as const;

/** The server's own copies: PostgreSQL and libpq refuse a key or a password file that other users can read. */
export const ownDirectory = "/var/run/postgresql/orion";

/** Path of the server's own copy of a live file. */
export const ownFile = (file: keyof typeof fileNames): string => `${ownDirectory}/${fileNames[file]}`;

export const tlsSettings: Readonly<Record<string, string>> = {
  ssl: "on",
  ssl_cert_file: ownFile("certificate"),
  ssl_key_file: ownFile("key"),
  ssl_min_protocol_version: "TLSv1.2",
  password_encryption: "scram-sha-256",
  hba_file: ownFile("hba"),
};

/** Copies the live files for the server's user. */
export const takeFiles = `install -d -o postgres -g postgres -m 0700 ${ownDirectory} && install -o postgres -g postgres -m 0600 ${filesDirectory}/current/* ${ownDirectory}/`;

/**
 * Has a running server read its live files again, and fails when it cannot read pg_hba.conf. The container of the version before
 * has no live files; it is replaced in the same update.
 */
export const reloadFiles = `[ -e ${filesDirectory}/current ] || exit 0
${takeFiles}
wrong=$(psql -XtA -c "SELECT line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL") || exit 1
if [ -n "$wrong" ]; then echo "pg_hba.conf, line $wrong"; exit 1; fi
psql -Xqt -c "SELECT FROM pg_reload_conf()"`;

/** Starts the server with its live files. */
export const tlsCommand = (settings: Readonly<Record<string, string>>): string[] => [
  "sh",
  "-c",
  `${takeFiles} && exec docker-entrypoint.sh postgres "$@"`,
  "postgres",
  ...settingArguments(settings),
];

/** libpq's parameters for a connection from one server to another one. */
export const verified = `sslmode=verify-full sslrootcert=${ownFile("authority")} channel_binding=require`;

/**
 * Variables with which libpq (psycopg 2 and 3) and asyncpg verify the server; a URL has no parameters, because the drivers differ in
 * those that they take. asyncpg knows no channel binding and ignores its variable.
 */
export const verifyingEnvironment: Readonly<Record<string, string>> = {
  PGSSLMODE: "verify-full",
  PGSSLROOTCERT: authorityFile,
  PGCHANNELBINDING: "require",
};

/**
 * What differs for clients of a gateway. PgBouncer, which has no channel binding, may be switched on behind it at any time: clients
 * that insist on it would be refused until they are replaced. They still verify the certificate.
 */
export const pooledEnvironment: Readonly<Record<string, string>> = { PGCHANNELBINDING: "prefer" };
