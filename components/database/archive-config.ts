/** The archive of PostgreSQL's changes (WAL) in R2: pgBackRest's configuration, and what PostgreSQL runs for each segment. Pure. */
import { containerDataFolder } from "./data-folders.ts";
import { ownDirectory } from "./postgres-tls.ts";
import { superuser } from "./role-names.ts";

/** pgBackRest's name for the database. */
export const stanza = "orion";

/** What the names of all objects of the archive begin with; the dumps' is `postgresql/`. */
export const archivePrefix = "pgbackrest/";

/** Names of the live files (components/database/postgres-tls.ts). pgBackRest looks for its name in archive_command. */
export const archiveFiles = { configuration: "pgbackrest.conf", push: "pgbackrest-push" } as const;

/** Where pgBackRest's commands find configuration and stanza, in a container that has taken its live files. */
export const archiveEnvironment = {
  PGBACKREST_CONFIG: `${ownDirectory}/${archiveFiles.configuration}`,
  PGBACKREST_STANZA: stanza,
} as const;

/** After so many seconds with a change a segment is archived although it is not full: the most that the loss of a server loses. */
export const archiveTimeoutSeconds = 60;

/** Settings of a server that archives. A replica has them too, and archives once it is the primary. */
export const archiveSettings: Readonly<Record<string, string>> = {
  archive_mode: "on",
  archive_command: `sh ${ownDirectory}/${archiveFiles.push} %p`,
  archive_timeout: `${archiveTimeoutSeconds}s`,
};

/** In the data folder as long as WAL was given up and no full backup has begun since. */
export const gapFile = "orion-archive-gap";

export interface ArchiveRepository {
  readonly bucket: string;
  /** URL of the S3 interface: `https://`, since pgBackRest speaks nothing else. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The key that everything in the archive is encrypted with. */
  readonly cipherKey: string;
  readonly days: number;
  readonly queueGb: number;
}

/** Text of pgBackRest's configuration. @throws {Error} when the endpoint is no URL with https */
export function configurationText(repository: ArchiveRepository): string {
  const { protocol, hostname, port } = new URL(repository.endpoint);
  if (protocol !== "https:") {
    throw new Error(
      `orion:storage.endpoint: got '${repository.endpoint}', allowed: an https:// URL, or orion:backups.pointInTime false`,
    );
  }
  const settings = {
    "repo1-type": "s3",
    "repo1-path": `/${archivePrefix.replace(/\/$/, "")}`,
    "repo1-s3-bucket": repository.bucket,
    "repo1-s3-endpoint": hostname,
    ...(port !== "" && { "repo1-storage-port": port }),
    "repo1-s3-region": "auto",
    "repo1-s3-uri-style": "path",
    "repo1-s3-key": repository.accessKeyId,
    "repo1-s3-key-secret": repository.secretAccessKey,
    "repo1-cipher-type": "aes-256-cbc",
    "repo1-cipher-pass": repository.cipherKey,
    // Few large objects instead of one for each file of the database.
    "repo1-bundle": "y",
    "repo1-retention-full-type": "time",
    "repo1-retention-full": repository.days,
    "compress-type": "zst",
    "archive-push-queue-max": `${repository.queueGb}GiB`,
    // A checkpoint at once: a backup that waits for the next one would take minutes longer.
    "start-fast": "y",
    // A backup that broke off is taken again: nothing remains of it.
    resume: "n",
    "lock-path": "/tmp/pgbackrest",
    // Twice this long it tries each step again; PostgreSQL asks again after that.
    "io-timeout": "20",
    "log-level-file": "off",
    "log-level-console": "warn",
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  const own = [`pg1-path=${containerDataFolder}`, `pg1-user=${superuser}`].map((line) => `${line}\n`);
  return ["[global]\n", ...lines, `[${stanza}]\n`, ...own].join("");
}

/**
 * What PostgreSQL runs for each segment, in its data folder, with the segment's path. PostgreSQL deletes a segment for which it
 * succeeds, and tries it again otherwise.
 *
 * A server that stops waits for this: it gets five seconds when the storage does not answer, and the segment is sent after the
 * next start. pgBackRest also returns success for a segment that it drops because the queue is full; the script then marks the gap, for
 * checks and alerts.
 */
export const pushScript = `said=/tmp/pgbackrest-push.said
timeout 120 pgbackrest archive-push "$1" >$said 2>&1 &
push=$!
patience=50
while kill -0 $push 2>/dev/null; do
  case $(tail -n 1 postmaster.pid) in stopping*) [ $((patience -= 1)) -gt 0 ] || kill $push ;; esac
  sleep 0.1
done
code=0
wait $push || code=$?
cat $said >&2
if grep -q 'dropped WAL file' $said; then : >${gapFile}; fi
exit $code
`;
