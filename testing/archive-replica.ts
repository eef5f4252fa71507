/** A streaming replica of an archive lab's database and the server of its files, as the program makes them. */
import { freePort } from "../common/ports.ts";
import { must } from "../common/process.ts";
import { containerDataFolder } from "../components/database/data-folders.ts";
import type { ArchiveReplica } from "../components/database/archive-script.ts";
import { fileNames, filesDirectory } from "../components/database/postgres-tls.ts";
import {
  loginText,
  replicaFilesAccess,
  replicaFilesCommand,
  replicaFilesConfiguration,
  replicaFilesDirectory,
  replicaFilesEnvironment,
  replicaFilesNames,
  replicaFilesUser,
} from "../components/database/replica-files-config.ts";
import { passwordsText, replicaCommand, replicaSettings } from "../components/database/replication.ts";
import { writeLiveFiles } from "../plugin/live-files.ts";
import { catalogue } from "../topology/catalogue.ts";
import { replicaFilesPorts } from "../topology/services/replica-files.ts";
import { signed } from "./certificate.ts";
import { eventually } from "./eventually.ts";
import {
  admitReplica,
  databasePasswords,
  docker,
  dockerHost,
  giveRoles,
  labAuthority,
  labDatabase,
  postgresFiles,
  writePostgresFiles,
} from "./lab-postgres.ts";

export interface LabReplicaOptions {
  readonly image: string;
  /** Name of the primary's container, which is its name in its certificate, too. */
  readonly primary: string;
  /** Folder of this machine with the lab's authority. */
  readonly folder: string;
  /** Folder of this machine for the data. */
  readonly data: string;
  /** This machine's address in Docker's network. */
  readonly address: string;
  /** PostgreSQL's settings, but those of a replica. */
  readonly settings: Readonly<Record<string, string>>;
}

export class LabReplica {
  readonly #options: LabReplicaOptions;
  /** Names of the replica's container and of that of its files' server. */
  readonly replica: string;
  readonly files: string;
  readonly #port: number;

  private constructor(options: LabReplicaOptions, port: number) {
    [this.#options, this.#port] = [options, port];
    [this.replica, this.files] = [`${options.primary}-replica`, `${options.primary}-replica-files`];
  }

  /** Starts both, and waits until the replica has a copy and streams. */
  static async start(options: LabReplicaOptions): Promise<LabReplica> {
    const lab = new LabReplica(options, await freePort());
    await lab.#admit();
    await lab.#startReplica();
    await lab.#startFiles();
    return lab;
  }

  /** How the archive's command reaches it. */
  get archive(): ArchiveReplica {
    return { name: "replica-1", address: this.#options.address, port: this.#port, waitSeconds: 2 };
  }

  /** Containers and volumes of both. */
  get containers(): readonly string[] {
    return [this.replica, this.files];
  }
  get volumes(): readonly string[] {
    return this.containers.map((name) => `${name}-live`);
  }

  sql = (text: string): Promise<string> =>
    this.#must("exec", this.replica, "psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-c", text);

  /** Roles and a slot at the primary. */
  async #admit(): Promise<void> {
    await giveRoles(this.#options.primary);
    await admitReplica(this.#options.primary, "replica_1");
  }

  async #startReplica(): Promise<void> {
    const { image, primary, folder, data, settings } = this.#options;
    const source = { host: primary, port: "5432", slot: "replica_1" };
    await writePostgresFiles(image, this.replica, `${this.replica}-live`, {
      ...postgresFiles(folder, "replica-1"),
      [fileNames.passwords]: passwordsText(source, databasePasswords["replication"] ?? ""),
    });
    await this.#must(
      ...["run", "--detach", "--init", "--name", this.replica, "--add-host", `${primary}:${await this.#ip(primary)}`],
      ...["--shm-size", "128m", "--read-only", "--tmpfs", "/tmp", "--tmpfs", "/var/run/postgresql"],
      ...["--volume", `${data}:${containerDataFolder}`, "--volume", `${this.replica}-live:${filesDirectory}:ro`],
      ...["--env", "PGUSER=orion_user", "--env", `PGDATABASE=${labDatabase}`, "--env", `PGDATA=${containerDataFolder}`],
      ...[image, ...replicaCommand(source, { ...settings, ...replicaSettings(source) })],
    );
    await eventually(async () => {
      if ((await this.sql("SELECT status FROM pg_stat_wal_receiver")) !== "streaming")
        throw new Error("it does not stream");
    }, 60);
  }

  /** Writes the live files of the server of files, with another certificate each time, as a renewal does. */
  async #writeFiles(): Promise<void> {
    const { image, folder, address } = this.#options;
    const tls = signed(folder, "replica-files", `DNS:replica-files,DNS:${address},IP:${address}`, labAuthority);
    await writeLiveFiles(
      {
        ...{ dockerHost, image, volume: `${this.files}-live`, directory: replicaFilesDirectory, container: this.files },
        files: {
          [replicaFilesNames.configuration]: replicaFilesConfiguration,
          [replicaFilesNames.login]: loginText("replica-1", databasePasswords["backup"] ?? ""),
          ...{ [replicaFilesNames.certificate]: tls.certificate, [replicaFilesNames.key]: tls.privateKey },
          [replicaFilesNames.authority]: tls.authority,
        },
        ...replicaFilesAccess,
      },
      docker,
    );
  }

  async #startFiles(): Promise<void> {
    const { image, data, address } = this.#options;
    await this.#writeFiles();
    const { memoryFolders, processes } = catalogue["replica-files"].confinement;
    await this.#must(
      ...["run", "--detach", "--init", "--name", this.files, "--user", replicaFilesUser],
      ...["--add-host", `replica-1:${await this.#ip(this.replica)}`],
      ...["--publish", `${address}:${this.#port}:${replicaFilesPorts.backrest}`],
      ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--memory", "128m"],
      ...["--pids-limit", String(processes)],
      ...Object.entries(memoryFolders).flatMap(([path, options]) => ["--tmpfs", `${path}:${options}`]),
      ...[
        "--volume",
        `${data}:${containerDataFolder}:ro`,
        "--volume",
        `${this.files}-live:${replicaFilesDirectory}:ro`,
      ],
      ...Object.entries(replicaFilesEnvironment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      ...[image, ...replicaFilesCommand],
    );
    await eventually(async () => {
      await this.#must("exec", this.files, "pgbackrest", "server-ping");
    });
    // It takes over new files while it runs.
    await this.#writeFiles();
  }

  #ip = (container: string): Promise<string> =>
    this.#must("inspect", "--format", "{{.NetworkSettings.Networks.bridge.IPAddress}}", container);

  #must = async (...args: readonly string[]): Promise<string> => (await must("docker", args)).trim();
}
