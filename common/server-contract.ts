/** Paths, commands and units of a server that the program, the plugin and the tools share. Pure. */

/** The file that the first boot creates as its last step. */
export const readyFile = "/var/lib/orion/first-boot-done";

/** When `make patch` last brought all packages up to date, as ISO time. */
export const patchedFile = "/var/lib/orion/patched";

/** The step of the patch that runs, or ran last, on the server. It survives a reboot. */
export const patchStateFile = "/var/lib/orion/patch-step";

export const patchLog = "/var/log/orion-patch.log";

/** Name of the systemd unit that a patch runs in. */
export const patchUnit = "orion-patch.service";

/** Mounts the Volume of the device in its first argument, now and at every boot; installed by the first boot. */
export const mountCommand = "/usr/local/sbin/orion-volume";

/** The mount point of a server's Volume, the same for every Volume id. */
export const dataMount = "/mnt/orion-data";

/** The certificate of the stack's own authority, on servers and in the containers of its clients. */
export const authorityFile = "/etc/orion/ca.crt";

/** File with the certificates of the public authorities, on servers and in images made from Debian. */
export const publicAuthorities = "/etc/ssl/certs/ca-certificates.crt";

/**
 * With a size in GB: grows the mounted file system of the Volume to its device; without: prints the sizes of the device and of
 * the file system, in bytes.
 */
export const growthCommand = "/usr/local/sbin/orion-volume-growth";

/** Replaces the rules of the server's packet filter; runs at every boot and at every change. */
export const firewallCommand = "/usr/local/sbin/orion-firewall";

/** Takes a backup of the database; `list` lists the complete backups. */
export const backupCommand = "/usr/local/sbin/orion-backup";

/** Restores the newest backup into a scratch server and compares it with the backup's counts. */
export const drillCommand = "/usr/local/sbin/orion-restore-drill";

/** Name of the systemd service that takes backups, and of its timer. */
export const backupUnit = "orion-backup";

/** Takes base backups of the database and checks its archive; `info` says what can be restored, `drill` and `restore` do it. */
export const archiveCommand = "/usr/local/sbin/orion-archive";

/** Names of the systemd services that take base backups and that check the archive, and of their timers. */
export const archiveBackupUnit = "orion-archive-backup";
export const archiveCheckUnit = "orion-archive-check";

/** The settings that the command reads, as shell. */
export const archiveSettingsFile = "/etc/orion/archive/settings";

const backupFolder = "/etc/orion/backup";

/** The environment variable with which the scripts read their files from another folder. */
export const backupFilesVariable = "ORION_BACKUP_FILES";

/** The files that the scripts of backup and drill read. */
export const backupFiles = {
  settings: `${backupFolder}/settings`,
  /** rclone's settings and credentials, as environment variables. */
  store: `${backupFolder}/store.env`,
  /** The connection of PostgreSQL's clients to the primary, as environment variables. */
  database: `${backupFolder}/database.env`,
  /** The same to a replica; only where there is one. */
  replica: `${backupFolder}/replica.env`,
} as const;

/** The environment variable that names the file with the private key of backups, for a restore drill. */
export const backupKeyVariable = "ORION_BACKUP_KEY";

/**
 * Tells people that something failed. `orion-alert SUBJECT` takes the details from standard input; `--unit UNIT` takes the end
 * of the unit's log, `--stopped UNIT` does so in an `ExecStopPost=` of a service that failed; `--heartbeat NAME` tells a
 * monitor that something ran. It is on every server, and without a recipient writes to the log only.
 */
export const alertCommand = "/usr/local/sbin/orion-alert";

/** For the `OnFailure=` of a systemd unit: sends an alert with the end of the unit's log. */
export const alertOnFailure = "orion-alert@%n.service";

/** The file with the recipients of alerts. */
export const alertsFile = "/etc/orion/alerts.json";
