/** Makes PostgreSQL require TLS: its settings, pg_hba.conf, and the installation of the private key. Pure. */
import { settingArguments } from "./postgres-settings.ts";

export const certificateFile = "/etc/orion/postgres.crt";
export const keyFile = "/etc/orion/postgres.key";
export const hbaFile = "/etc/orion/pg_hba.conf";

/** The server's own copy of the key: PostgreSQL refuses a key file that other users can read. */
const ownKeyFile = "/var/run/postgresql/server.key";

export const tlsSettings: Readonly<Record<string, string>> = {
  ssl: "on",
  ssl_cert_file: certificateFile,
  ssl_key_file: ownKeyFile,
  ssl_min_protocol_version: "TLSv1.2",
  password_encryption: "scram-sha-256",
  hba_file: hbaFile,
};

/** Local socket connections are trusted (they need `docker exec`); every other one needs TLS and a password. */
export const hbaRules = [
  "local   all         all                 trust",
  "hostssl all         all  all            scram-sha-256",
  "hostssl replication all  all            scram-sha-256",
  "",
].join("\n");

/** Copies the key for the server's user: files that Docker uploads into a container belong to root. */
export const keyCommand = `install -o postgres -g postgres -m 0600 ${keyFile} ${ownKeyFile}`;

/** Starts the server after {@link keyCommand}. */
export const tlsCommand = (settings: Readonly<Record<string, string>>): string[] => [
  "sh",
  "-c",
  `${keyCommand} && exec docker-entrypoint.sh postgres "$@"`,
  "postgres",
  ...settingArguments(settings),
];
