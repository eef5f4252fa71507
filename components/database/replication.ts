/** Streaming replication: registering a replica at the primary, and a replica's settings and start script. Pure. */
import { settingArguments } from "./postgres-settings.ts";
import { ownFile, takeFiles, verified } from "./postgres-tls.ts";
import { loginRoles } from "./role-names.ts";

export interface ReplicationSource {
  readonly host: string;
  readonly port: string;
  readonly slot: string;
}

/** The slot of a replica; slot names cannot have hyphens. */
export const slotOf = (replica: string): string => replica.replaceAll("-", "_");

/** Text of the replica's password file; it is for pg_basebackup and for streaming. */
export const passwordsText = ({ host, port }: ReplicationSource, password: string): string =>
  `${host}:${port}:*:${loginRoles.replication}:${password}\n`;

/** An idempotent script for psql at the primary that creates the replica's slot, whose name is the variable `slot`. */
export const createSlotScript = `SELECT pg_create_physical_replication_slot(:'slot', true)
  WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = :'slot');
`;

/** A script for psql that deletes the slot: an unused slot retains WAL at the primary. */
export const dropSlotScript = `SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = :'slot' AND active;
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = :'slot';
`;

/** Settings of a replica, in addition to those of every server. */
export const replicaSettings = ({ host, port, slot }: ReplicationSource): Readonly<Record<string, string>> => ({
  primary_conninfo: `host=${host} port=${port} user=${loginRoles.replication} passfile=${ownFile("passwords")} ${verified} application_name=${slot}`,
  primary_slot_name: slot,
  // The primary does not vacuum rows that queries here still read.
  hot_standby_feedback: "on",
  // A backup may delay the replay of a table's DDL for this long; then it is cancelled.
  max_standby_streaming_delay: "5min",
});

/** PostgreSQL's own default of `max_connections`. */
const defaultConnections = 100;

/**
 * Starts a replica: the first time with a base backup of the primary. Data with a `PG_VERSION` is complete, since that file is
 * moved into place last, and is never deleted, also not after a promotion.
 *
 * PostgreSQL does not start a replica that allows fewer connections than its primary did when it wrote what the replica has replayed
 * last. So a lower `max_connections` takes effect at the first start after the replica has replayed that change.
 */
export const replicaCommand = (
  { host, port, slot }: ReplicationSource,
  settings: Readonly<Record<string, string>>,
): string[] => [
  "sh",
  "-c",
  `set -eu
${takeFiles}
cd "$PGDATA"
if [ ! -s PG_VERSION ]; then
  find . -mindepth 1 -delete
  chown postgres:postgres .
  chmod 0700 .
  setpriv --reuid postgres --regid postgres --init-groups env HOME=/var/lib/postgresql PGPASSFILE=${ownFile("passwords")} \\
    pg_basebackup --host ${host} --port ${port} --username ${loginRoles.replication} --dbname '${verified}' --no-password \\
    --slot ${slot} --wal-method stream --checkpoint fast --pgdata "$PGDATA/incoming"
  touch incoming/standby.signal
  find incoming -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t . {} +
  mv incoming/PG_VERSION .
  rmdir incoming
fi
if [ -e standby.signal ]; then
  had=$(LC_ALL=C pg_controldata . | sed -n 's/^max_connections setting: *//p')
  if [ "\${had:-0}" -gt ${settings["max_connections"] ?? defaultConnections} ]; then set -- "$@" -c "max_connections=$had"; fi
fi
exec docker-entrypoint.sh postgres "$@"`,
  "postgres",
  ...settingArguments(settings),
];
