import * as pulumi from "@pulumi/pulumi";
import { backupCommand, backupUnit, drillCommand, backupFiles } from "../../common/server-contract.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { timerFiles } from "../runtime/docker/timer-files.ts";
import type { BackupStore } from "../storage/storage.ts";
import { databaseText, settingsText, storeText } from "./backup-files.ts";
import { backupScript } from "./backup-scripts.ts";
import { backupService, backupTimer } from "./backup-units.ts";
import { restoreDrillScript } from "./restore-drill-script.ts";

export interface BackupArgs {
  /** The server that takes the backups. */
  readonly place: DockerRuntime;
  readonly store: BackupStore;
  /** `postgresql://` URL of the database, as it is reached from the place's containers; a secret. */
  readonly databaseUrl: pulumi.Input<string>;
  /** Whether the database is somebody else's, who lets nobody read the passwords of its roles. @default false */
  readonly external?: boolean;
}

const timed = timerFiles({ unit: backupUnit, service: backupService, timer: backupTimer });

/**
 * A dump of the database every night, in a bucket of its own; the restore drill lies beside it.
 *
 * The server itself runs it: backups go on when nobody runs the program. What dumps is a container of its own, so that an
 * external database is no other case, and the dump takes none of the memory that PostgreSQL was given.
 */
export class Backup extends pulumi.ComponentResource {
  constructor(name: string, args: BackupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Backup", name, {}, opts);
    new HostFiles(
      `${name}-files`,
      {
        ...timed,
        place: args.place,
        files: {
          [backupCommand]: { text: backupScript, mode: "0755" },
          [drillCommand]: { text: restoreDrillScript, mode: "0755" },
          [backupFiles.settings]: { text: settingsOf(args), mode: "0600" },
          [backupFiles.store]: { text: credentialsOf(args), mode: "0600" },
          [backupFiles.database]: {
            text: pulumi.secret(pulumi.output(args.databaseUrl).apply(databaseText)),
            mode: "0600",
          },
          ...timed.files,
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** Images by name: one that was tidied away is pulled again, also on another server. */
const settingsOf = ({ place, store, external = false }: BackupArgs): pulumi.Output<string> =>
  pulumi
    .all([store.bucket, place.network, place.reference("postgres"), place.reference("rclone")])
    .apply(([bucket, network, postgresImage, rcloneImage]) =>
      settingsText({ bucket, network, postgresImage, rcloneImage, external }),
    );

const credentialsOf = ({ store: { endpoint, accessKeyId, secretAccessKey } }: BackupArgs): pulumi.Output<string> =>
  pulumi.secret(
    pulumi
      .all([accessKeyId, secretAccessKey])
      .apply(([id, secret]) => storeText({ endpoint, accessKeyId: id, secretAccessKey: secret })),
  );
