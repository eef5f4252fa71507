/** Builds PgBouncer's configuration. Pure. */
import type { ExternalUrl } from "../../config/external-url.ts";
import { mostPoolerClients } from "../../topology/pools.ts";
import { gatewayHost, gatewayPorts } from "../../topology/services/gateway.ts";
import { poolerPorts, poolerSocketFolder } from "../../topology/services/pgbouncer.ts";
import { databaseName, sessionDatabase } from "../database/database-url.ts";
import { loginFunction } from "../database/pooler-login.ts";
import { loginRoles } from "../database/role-names.ts";

/** Where the volume with its live files is mounted. */
export const poolerDirectory = "/etc/orion-pooler";

export const poolerFiles = {
  configuration: "pgbouncer.ini",
  /** The role that looks up logins, with its password. */
  users: "users.txt",
  certificate: "server.crt",
  key: "server.key",
  authority: "ca.crt",
} as const;

const fileOf = (name: keyof typeof poolerFiles): string => `${poolerDirectory}/current/${poolerFiles[name]}`;

/** The database whose function answers who may log in; it has no table of the platform. */
const loginDatabase = "postgres";

export interface PgbouncerConfig {
  /** Connections to the server, of all its roles together. */
  readonly connections: number;
  /** The port of the gateway through which it reaches the server. */
  readonly upstream: "direct" | "replicas";
  /**
   * Where data can be moved: the server that has it, and the role as which all clients log in there. A running PgBouncer can be
   * given another role for a database, but the role cannot be removed again. Clients that keep their session come through it as well.
   * @default - the stack's own, at which each client logs in as itself
   */
  readonly server?: DataServer;
}

export type DataServer = Pick<ExternalUrl, "host" | "port" | "database" | "user" | "password">;

/** A value of a connection's text. */
const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** How PgBouncer reaches the server with the platform's data. */
function serverWithData({ upstream, server }: PgbouncerConfig): string {
  if (!server) return `host=${gatewayHost} port=${gatewayPorts[upstream]} dbname=${databaseName}`;
  const { host, port, database, user, password } = server;
  return `host=${host} port=${port} dbname=${quoted(database)} user=${quoted(user)} password=${quoted(password)}`;
}

function databasesOf(config: PgbouncerConfig): string {
  const data = serverWithData(config);
  const login = `host=${gatewayHost} port=${gatewayPorts[config.upstream]} dbname=${loginDatabase}`;
  return [
    `${databaseName} = ${data}`,
    ...(config.server ? [`${sessionDatabase} = ${data} pool_mode=session`] : []),
    `${loginDatabase} = ${login}`,
  ].join("\n");
}

/**
 * The text of pgbouncer.ini. A client logs in with its own role and password, and PgBouncer logs in at PostgreSQL as the same role with the
 * SCRAM keys of the client's login: it stores no password of the app, unless data can be moved.
 */
export const pgbouncerConfig = (config: PgbouncerConfig): string => `[databases]
${databasesOf(config)}

[pgbouncer]
listen_addr = 0.0.0.0
listen_port = ${poolerPorts.postgres}
unix_socket_dir = ${poolerSocketFolder}
pool_mode = transaction
max_prepared_statements = 500

; More clients wait for a connection; none is refused.
max_client_conn = ${mostPoolerClients}
max_db_connections = ${config.connections}
default_pool_size = ${config.connections}
query_wait_timeout = 120

auth_type = scram-sha-256
auth_file = ${fileOf("users")}
auth_user = ${loginRoles.pooler}
auth_dbname = ${loginDatabase}
auth_query = SELECT role, secret FROM ${loginFunction}($1)

client_tls_sslmode = require
client_tls_cert_file = ${fileOf("certificate")}
client_tls_key_file = ${fileOf("key")}
server_tls_sslmode = verify-full
server_tls_ca_file = ${fileOf("authority")}

; A connection that could not be made is tried again at once: the gateway may just have another primary.
server_connect_timeout = 5
server_login_retry = 1
server_idle_timeout = 600
tcp_keepidle = 60
tcp_keepintvl = 15
tcp_keepcnt = 4

; What some drivers send at the beginning, and PgBouncer does not keep for each client.
ignore_startup_parameters = extra_float_digits,options
log_connections = 0
log_disconnections = 0
stats_period = 3600
`;

/**
 * The text of the file with the role that looks up logins, and with others that it needs not look up: with the SCRAM keys of a login
 * that it has looked up, PgBouncer would log in at an external server as well, where another role has another password.
 *
 * @param password letters and digits, as those of the others
 */
export const usersText = (password: string, others: Readonly<Record<string, string>> = {}): string =>
  Object.entries({ [loginRoles.pooler]: password, ...others })
    .map(([role, each]) => `"${role}" "${each}"\n`)
    .join("");
