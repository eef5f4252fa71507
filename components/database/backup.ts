/** The nightly backup and the restore drill: scripts and timer on a server. */
import * as pulumi from "@pulumi/pulumi";
import { backupCommand, backupUnit, drillCommand, backupFiles } from "../../common/server-contract.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { timerFiles } from "../runtime/docker/timer-files.ts";
import type { Settings } from "../../config/schema.ts";
import type { BackupStore } from "../storage/storage.ts";
import { databaseText, settingsText, storeText } from "./backup-files.ts";
import { backupScript } from "./backup-script.ts";
import { backupService, backupTimer } from "./backup-units.ts";
import { restoreDrillScript } from "./restore-drill-script.ts";

export interface BackupArgs {
  /** The Docker Engine of the server that takes the backups. */
  readonly runtime: DockerRuntime;
  readonly store: BackupStore;
  /** `postgresql://` URL of the primary for containers on that server; a secret. */
  readonly databaseUrl: pulumi.Input<string>;
  /** URL of a replica, which is dumped instead as long as it follows the primary; a secret. @default - the primary is dumped */
  readonly replicaUrl?: pulumi.Input<string> | undefined;
  /** The public key that backups are encrypted with. */
  readonly recipient: pulumi.Input<string>;
  readonly policy: Settings["backups"];
  /** Further variables of PostgreSQL's clients. @default - none */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the database is external. @default false */
  readonly external?: boolean;
}

/** Servers of the version before have no `age`; new ones get it at their first boot. */
const installAge =
  "{ command -v age >/dev/null || { apt-get update -q && apt-get install -qy --no-install-recommends -o DPkg::Lock::Timeout=90 age; }; }";

const timed = timerFiles({ unit: backupUnit, service: backupService, timer: backupTimer, first: installAge });

/**
 * Backups go to the given bucket, encrypted, and do not depend on updates; the operator starts a restore drill. The dump runs in a
 * separate container, so that an external database is dumped in the same way, and the dump uses none of PostgreSQL's memory.
 */
export class Backup extends pulumi.ComponentResource {
  constructor(name: string, args: BackupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Backup", name, {}, opts);
    new HostFiles(
      `${name}-files`,
      {
        ...timed,
        runtime: args.runtime,
        files: {
          [backupCommand]: { text: backupScript, mode: "0755" },
          [drillCommand]: { text: restoreDrillScript, mode: "0755" },
          [backupFiles.settings]: { text: settingsOf(args), mode: "0600" },
          [backupFiles.store]: { text: credentialsOf(args), mode: "0600" },
          [backupFiles.database]: { text: connectionOf(args.databaseUrl, args), mode: "0600" },
          ...(args.replicaUrl !== undefined && {
            [backupFiles.replica]: { text: connectionOf(args.replicaUrl, args), mode: "0600" },
          }),
          ...timed.files,
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

const connectionOf = (
  url: pulumi.Input<string>,
  { environment }: Pick<BackupArgs, "environment">,
): pulumi.Output<string> => pulumi.secret(pulumi.output(url).apply((known) => databaseText(known, environment)));

/** Images by name, not by id: Docker can then pull an image again that was pruned. */
const settingsOf = ({ runtime, store, external = false, ...args }: BackupArgs): pulumi.Output<string> =>
  pulumi
    .all([
      ...[store.bucket, runtime.networks.data, args.recipient],
      ...[runtime.reference("postgres"), runtime.reference("rclone"), external ? runtime.reference("app") : undefined],
    ] as const)
    .apply(([bucket, network, recipient, postgresImage, rcloneImage, appImage]) =>
      settingsText({ bucket, network, recipient, postgresImage, rcloneImage, appImage, policy: args.policy }),
    );

const credentialsOf = ({ store: { endpoint, accessKeyId, secretAccessKey } }: BackupArgs): pulumi.Output<string> =>
  pulumi.secret(
    pulumi
      .all([accessKeyId, secretAccessKey])
      .apply(([id, secret]) => storeText({ endpoint, accessKeyId: id, secretAccessKey: secret })),
  );
