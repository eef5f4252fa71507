/** Builds the configuration files that the backup scripts on a server read. Pure. */
import { assignments, quoted } from "../../common/shell.ts";
import type { Settings } from "../../config/schema.ts";

export interface BackupSettings {
  readonly bucket: string;
  /** Container network with access to the database. */
  readonly network: string;
  readonly postgresImage: string;
  readonly rcloneImage: string;
  /** The app's image, which may have the certificate of an external database's authority; undefined for an own database. */
  readonly appImage: string | undefined;
  /** The public key that backups are encrypted with. */
  readonly recipient: string;
  readonly policy: Settings["backups"];
}

/** Text of `backupFiles.settings`, which the scripts read as shell. */
export const settingsText = (settings: BackupSettings): string =>
  assignments({
    BUCKET: quoted(settings.bucket),
    NETWORK: quoted(settings.network),
    POSTGRES_IMAGE: quoted(settings.postgresImage),
    RCLONE_IMAGE: quoted(settings.rcloneImage),
    APP_IMAGE: quoted(settings.appImage ?? ""),
    // The bucket needs no hashes: an update gives each role its password again.
    GLOBALS: quoted("--no-role-passwords"),
    RECIPIENT: quoted(settings.recipient),
    DAILY: String(settings.policy.daily),
    WEEKLY: String(settings.policy.weekly),
    MONTHLY: String(settings.policy.monthly),
    LOCK_DAYS: String(settings.policy.lockDays),
    LOSS_PERCENT: String(settings.policy.lossPercent),
    FLUCTUATING: quoted(settings.policy.fluctuating.join(" ")),
    REPLICA_WAIT: String(settings.policy.replicaWaitSeconds),
  });

export interface StoreAccess {
  /** URL of the S3 interface. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Text of `backupFiles.store`: the remote `store` of rclone. */
export const storeText = ({ endpoint, accessKeyId, secretAccessKey }: StoreAccess): string =>
  assignments({
    RCLONE_CONFIG_STORE_TYPE: "s3",
    RCLONE_CONFIG_STORE_PROVIDER: "Cloudflare",
    RCLONE_CONFIG_STORE_REGION: "auto",
    RCLONE_CONFIG_STORE_ENDPOINT: endpoint,
    RCLONE_CONFIG_STORE_ACCESS_KEY_ID: accessKeyId,
    RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: secretAccessKey,
    // The credentials give access to the bucket's objects, not to the bucket itself.
    RCLONE_CONFIG_STORE_NO_CHECK_BUCKET: "true",
    // An upload whose size is not known has at most 10,000 parts: room for 160 GB.
    RCLONE_CONFIG_STORE_CHUNK_SIZE: "16Mi",
  });

/**
 * Text of `backupFiles.database`, for a `postgresql://` URL.
 *
 * @param environment further variables of PostgreSQL's clients
 * @throws {Error} when the URL is not valid
 */
export const databaseText = (url: string, environment: Readonly<Record<string, string>> = {}): string =>
  assignments({ ...environment, ...connectionVariables(url) });

/** Parameters of a URL, and libpq's variable for each. */
const parameterVariables: Readonly<Record<string, string>> = {
  application_name: "PGAPPNAME",
  channel_binding: "PGCHANNELBINDING",
  connect_timeout: "PGCONNECT_TIMEOUT",
  gssencmode: "PGGSSENCMODE",
  options: "PGOPTIONS",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  target_session_attrs: "PGTARGETSESSIONATTRS",
};

/** Variables instead of the URL itself, which a process list would show. Parameters that only drivers know are left out. */
function connectionVariables(url: string): Record<string, string> {
  // Not the parser's own error: it repeats the URL.
  if (!URL.canParse(url) || !/^postgres(?:ql)?:/.test(url) || /%(?![0-9a-f]{2})/i.test(url)) {
    throw new Error(
      "orion:databaseUrl: got an invalid URL, allowed: postgresql://user:password@host:port/name, special characters " +
        "as %40; set it with: pulumi config set --secret databaseUrl",
    );
  }
  const { username, password, hostname, port, pathname, searchParams } = new URL(url);
  const parameters = [...searchParams].flatMap(([name, value]) => {
    const variable = parameterVariables[name];
    return variable === undefined ? [] : [[variable, value] as const];
  });
  return {
    PGHOST: hostname.replace(/^\[(.*)\]$/, "$1"),
    ...(port !== "" && { PGPORT: port }),
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    ...Object.fromEntries(parameters),
  };
}
