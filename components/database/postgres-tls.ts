/** PostgreSQL over TLS alone: settings, who may come in how, and the way of the key to the server. Pure. */
import { settingArguments } from "./postgres-settings.ts";

export const certificateFile = "/etc/orion/postgres.crt";
export const keyFile = "/etc/orion/postgres.key";
export const hbaFile = "/etc/orion/pg_hba.conf";

/** The server's own copy of the key: it takes none that others may read. */
const ownKeyFile = "/var/run/postgresql/server.key";

export const tlsSettings: Readonly<Record<string, string>> = {
  ssl: "on",
  ssl_cert_file: certificateFile,
  ssl_key_file: ownKeyFile,
  ssl_min_protocol_version: "TLSv1.2",
  password_encryption: "scram-sha-256",
  hba_file: hbaFile,
};

/** In its own container whoever is in is in; from everywhere else a password is asked for, under TLS. */
export const hbaRules = [
  "local   all         all                 trust",
  "hostssl all         all  all            scram-sha-256",
  "hostssl replication all  all            scram-sha-256",
  "",
].join("\n");

/** Gives the server the key: files that Docker puts into a container belong to root. */
export const keyCommand = `install -o postgres -g postgres -m 0600 ${keyFile} ${ownKeyFile}`;

/** Starts the server after giving it the key. */
export const tlsCommand = (settings: Readonly<Record<string, string>>): string[] => [
  "sh",
  "-c",
  `${keyCommand} && exec docker-entrypoint.sh postgres "$@"`,
  "postgres",
  ...settingArguments(settings),
];
