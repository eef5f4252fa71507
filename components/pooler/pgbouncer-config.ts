/** Builds PgBouncer's configuration. Pure. */
import { mostPoolerClients } from "../../topology/pools.ts";
import { gatewayHost, gatewayPorts } from "../../topology/services/gateway.ts";
import { poolerPorts, poolerSocketFolder } from "../../topology/services/pgbouncer.ts";
import { databaseName } from "../database/database-url.ts";
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
}

/**
 * The text of pgbouncer.ini. A client logs in with its own role and password, and PgBouncer logs in at PostgreSQL as the same role with the
 * SCRAM keys of the client's login: it stores no password of the app.
 */
export const pgbouncerConfig = ({ connections, upstream }: PgbouncerConfig): string => `[databases]
${[databaseName, loginDatabase].map((name) => `${name} = host=${gatewayHost} port=${gatewayPorts[upstream]} dbname=${name}`).join("\n")}

[pgbouncer]
listen_addr = 0.0.0.0
listen_port = ${poolerPorts.postgres}
unix_socket_dir = ${poolerSocketFolder}
pool_mode = transaction
max_prepared_statements = 500

; More clients wait for a connection; none is refused.
max_client_conn = ${mostPoolerClients}
max_db_connections = ${connections}
default_pool_size = ${connections}
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

/** The text of the file with the role that looks up logins. @param password letters and digits */
export const usersText = (password: string): string => `"${loginRoles.pooler}" "${password}"\n`;
