/** WAL archiving: the archive's key, and the server's `orion-archive` command with its timers. */
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import {
  archiveBackupUnit,
  archiveCheckUnit,
  archiveCommand,
  archiveSettingsFile,
} from "../../common/server-contract.ts";
import type { Settings } from "../../config/schema.ts";
import { physicalName } from "../../topology/naming.ts";
import { archivesWal } from "../../topology/services/archive.ts";
import type { DatabaseService } from "../../topology/services/database.ts";
import { servicesOf, type Topology } from "../../topology/topology.ts";
import type { Context } from "../context.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { timerFiles } from "../runtime/docker/timer-files.ts";
import type { Storage } from "../storage/storage.ts";
import { configurationText } from "./archive-config.ts";
import { type ArchiveReplica, archiveScript, archiveSettingsText } from "./archive-script.ts";
import { archiveBackupService, archiveBackupTimer, archiveCheckService, archiveCheckTimer } from "./archive-units.ts";
import { hostDataFolder } from "./data-folders.ts";
import { databaseName } from "./database-url.ts";
import type { Postgres } from "./postgres.ts";

export interface ArchiveArgs {
  /** The Docker Engine of the primary's server. */
  readonly runtime: DockerRuntime;
  /** The primary. */
  readonly database: Pick<DatabaseService, "name" | "container">;
  /** The replica whose files base backups read. @default - none: they read the primary's */
  readonly replica?: ArchiveReplica | undefined;
}

const timed = timerFiles(
  { unit: archiveBackupUnit, service: archiveBackupService, timer: archiveBackupTimer },
  {
    ...{ unit: archiveCheckUnit, service: archiveCheckService, timer: archiveCheckTimer },
    // Now, and not in two minutes: it registers the database and begins the first base backup.
    first: `systemctl start --no-block ${archiveCheckUnit}.service`,
  },
);

/**
 * On the primary's server the command takes base backups, checks the archive and restores.
 *
 * PostgreSQL itself sends its changes to the archive (components/database/archive-config.ts). pgBackRest runs in the database's
 * container, which alone has the credentials.
 */
export class Archive extends pulumi.ComponentResource {
  constructor(name: string, { runtime, database, replica }: ArchiveArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Archive", name, {}, opts);
    const settings = runtime.reference("database").apply((image) =>
      archiveSettingsText({
        ...{ container: database.container, image, data: hostDataFolder, database: databaseName, replica },
        filesVolume: physicalName(runtime.naming, `${database.name}-files`),
      }),
    );
    new HostFiles(
      `${name}-files`,
      {
        ...timed,
        runtime,
        files: {
          [archiveCommand]: { text: archiveScript, mode: "0755" },
          [archiveSettingsFile]: { text: settings, mode: "0644" },
          ...timed.files,
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** Where the database archives its changes. */
export interface ArchiveRepository {
  /** pgBackRest's configuration; a secret. */
  readonly configuration: pulumi.Output<string>;
  /** The key that everything is encrypted with; a secret. */
  readonly key: pulumi.Output<string>;
}

/** Creates the key of the archive, if the stack has one. */
export function createArchiveRepository(
  { settings, parent }: Context,
  { archive: store }: Storage,
): ArchiveRepository | undefined {
  if (!archivesWal(settings)) return undefined;
  if (!store) throw new Error("The plan archives WAL, but the storage has no bucket for it.");
  // Without it nothing of the archive can be read any more.
  const { hex } = new random.RandomBytes("archive-key", { length: 32 }, { parent, protect: settings.protection });
  const { pointInTimeDays: days, archiveQueueGb: queueGb } = settings.backups;
  const configuration = pulumi
    .all([store.bucket, store.accessKeyId, store.secretAccessKey, hex])
    .apply(([bucket, accessKeyId, secretAccessKey, cipherKey]) =>
      configurationText({ bucket, endpoint: store.endpoint, accessKeyId, secretAccessKey, cipherKey, days, queueGb }),
    );
  return { configuration: pulumi.secret(configuration), key: pulumi.secret(hex) };
}

/** Creates the command and the timers of the archive, where the plan has one. */
export function createArchive({ settings, topology, runtimes, parent }: Context, { ready }: Postgres): void {
  const [database] = servicesOf(topology, "database");
  for (const service of servicesOf(topology, "archive")) {
    if (!database) throw new Error("The plan archives WAL, but has no database.");
    const replica = replicaOf(topology, settings);
    new Archive("archive", { runtime: runtimes.of(service), database, replica }, { parent, dependsOn: [...ready] });
  }
}

/** The replica beside which the plan has something that reads its files. */
function replicaOf(topology: Topology, { backups }: Settings): ArchiveReplica | undefined {
  const [files] = servicesOf(topology, "replica-files");
  if (!files) return undefined;
  const [at] = files.published;
  const replica = servicesOf(topology, "replica").find(({ server }) => server === files.server);
  if (!at || !replica) throw new Error(`The service ${files.name} needs a port, and a replica on ${files.server}.`);
  return { ...{ name: replica.name, address: at.address, port: at.port }, waitSeconds: backups.replicaWaitSeconds };
}
