/**
 * A PostgreSQL with the product's own image and archive, a container that stands for its server with `orion-archive`, and the
 * rehearsal's R2, which has to speak TLS for pgBackRest: for tests and benches of point-in-time recovery. The server uses this
 * machine's Docker Engine, so that its drills are containers of this machine; only one lab can drill at a time.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Outcome, run, tryRun } from "../common/process.ts";
import { alertCommand, archiveCommand, archiveSettingsFile } from "../common/server-contract.ts";
import {
  archiveEnvironment,
  archiveFiles,
  archivePrefix,
  archiveSettings,
  configurationText,
  pushScript,
} from "../components/database/archive-config.ts";
import { type ArchiveReplica, archiveScript, archiveSettingsText } from "../components/database/archive-script.ts";
import { containerDataFolder } from "../components/database/data-folders.ts";
import { postgresSettings } from "../components/database/postgres-settings.ts";
import { filesDirectory, ownDirectory, tlsCommand, tlsSettings } from "../components/database/postgres-tls.ts";
import { archiveClient, archiveClientFiles } from "../components/database/replica-files-config.ts";
import { presets } from "../config/presets.ts";
import { ensureImages } from "../images/ensure.ts";
import { MachineImages } from "../rehearsal/machines/docker/images.ts";
import { progressOn } from "../toolchain/src/progress.ts";
import { LabReplica } from "./archive-replica.ts";
import { signed } from "./certificate.ts";
import { eventually } from "./eventually.ts";
import { temporaryFolder } from "./folder.ts";
import { labAuthority, labDatabase, postgresFiles, writePostgresFiles } from "./lab-postgres.ts";
import { SecureR2 } from "./secure-r2.ts";

export interface ArchiveLabOptions {
  /** Folder of the project. */
  readonly root: string;
  /** Name of PostgreSQL's container; those of the others begin with it. */
  readonly name: string;
  /** Memory of PostgreSQL, in MiB. @default 1024 */
  readonly memoryMb?: number;
  /** Changes pgBackRest's configuration. @default - as phase mvp has it */
  readonly configured?: (configuration: string) => string;
}

const bucket = "orion-files-archive";

/** What stands in for programs of a server: alerts go into a file, and without systemd a unit is noted and not started. */
const standIns = (known: readonly string[]): Readonly<Record<string, string>> => ({
  [alertCommand]: '#!/bin/sh\n{ echo "$*"; [ $# -ne 1 ] || cat; } >> /run/alerts\n',
  // No name server knows the storage's name.
  "/usr/local/bin/docker": `#!/bin/sh
case $1 in run) shift; exec /usr/bin/docker run ${known.join(" ")} "$@" ;; *) exec /usr/bin/docker "$@" ;; esac
`,
  "/usr/local/bin/systemctl": `#!/bin/sh\necho "$*" >> /run/started\n`,
});

export class ArchiveLab {
  readonly #options: ArchiveLabOptions;
  /** Name of the server's container. */
  readonly server: string;
  /** Folder with the database's data. It belongs to another user, so that only `stop` can remove it. */
  readonly data = join(mkdtempSync(join(realpathSync(tmpdir()), "orion-archive-")), "postgres");
  readonly #files: string;
  #image = "";
  #r2: SecureR2 | undefined;
  #replica: LabReplica | undefined;
  /** Of the authority that signs all certificates but the storage's. */
  readonly #certificates = temporaryFolder("certificates");

  constructor(options: ArchiveLabOptions) {
    this.#options = options;
    this.server = `${options.name}-server`;
    this.#files = `${options.name}-files`;
  }

  /** The object storage. @throws {Error} before `start` */
  get r2(): SecureR2 {
    if (this.#r2 === undefined) throw new Error("the lab has not been started");
    return this.#r2;
  }

  /** Starts everything. The images and the S3 server may have to be built first, which takes minutes. */
  async start(): Promise<void> {
    const { root, configured = (text: string) => text } = this.#options;
    const [ensured] = await ensureImages({ root, cache: temporaryFolder("images"), names: ["database"] });
    this.#image = ensured?.reference ?? "";
    this.#r2 = await SecureR2.start({ root, bucket });
    const { pointInTimeDays: days, archiveQueueGb: queueGb } = presets.mvp.backups;
    const repository = { ...this.#r2.store, cipherKey: "any", days, queueGb };
    // The storage's authority is in no bundle.
    const here = `[global]\nrepo1-storage-ca-file=${ownDirectory}/authority.pem\n`;
    const configuration = configured(configurationText(repository)).replace("[global]\n", here);
    await this.#startServer();
    const client = signed(this.#certificates, archiveClient, `DNS:${archiveClient}`, labAuthority, "clientAuth");
    await writePostgresFiles(this.#image, this.#options.name, this.#files, {
      ...postgresFiles(this.#certificates, this.#options.name),
      ...{ [archiveClientFiles.certificate]: client.certificate, [archiveClientFiles.key]: client.privateKey },
      "authority.pem": await this.#r2.authority(),
      [archiveFiles.configuration]: configuration,
      [archiveFiles.push]: pushScript,
    });
    await this.#inData("mkdir -p /d/postgres");
    await this.runDatabase();
  }

  async stop(): Promise<void> {
    const { containers = [], volumes = [] } = this.#replica ?? {};
    await tryRun("docker", ["rm", "--force", "--volumes", this.#options.name, this.server, ...containers]);
    await this.#inData("rm -rf /d/*").catch(() => undefined);
    rmSync(dirname(this.data), { recursive: true, force: true });
    await tryRun("docker", ["volume", "rm", "--force", this.#files, ...volumes]);
    await this.#r2?.stop();
  }

  /** Runs a command of docker that has to succeed. Asynchronously: R2 is in this process. @returns its standard output */
  async docker(...args: readonly string[]): Promise<string> {
    const { code, stdout, output } = await run("docker", args);
    if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${output}`);
    return stdout.trim();
  }

  sql = (text: string): Promise<string> =>
    this.docker("exec", this.#options.name, "psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-c", text);

  /** Runs a shell script beside PostgreSQL. */
  shell = (script: string): Promise<string> => this.docker("exec", this.#options.name, "sh", "-euc", script);

  /** Runs `orion-archive` with these words. */
  command = (...words: readonly string[]): Promise<Outcome> =>
    run("docker", ["exec", this.server, archiveCommand, ...words]);

  /** The same, for words that have to succeed. @returns everything it prints */
  archive = async (...words: readonly string[]): Promise<string> =>
    succeeded(words, await this.command(...words)).output;

  /** A drill that has to succeed. @param query what the restored database is asked @returns what it prints without errors */
  async drill(time: string, query: string): Promise<string> {
    const asked = ["exec", "--env", `ORION_DRILL_QUERY=${query}`, this.server, archiveCommand, "drill", time];
    return succeeded(["drill", time], await run("docker", asked)).stdout;
  }

  /** What people were told since the last look. */
  alerts = (): Promise<string> =>
    this.docker("exec", this.server, "sh", "-c", "cat /run/alerts 2>/dev/null; rm -f /run/alerts");

  /** Number of segments that are finished and not archived. */
  waiting = async (): Promise<number> =>
    Number(await this.sql("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"));

  /** Bytes of WAL that the database has written in its life. */
  walWritten = async (): Promise<number> => Number(await this.sql("SELECT pg_current_wal_lsn() - '0/0'"));

  /** Cuts PostgreSQL off from the network, or brings it back. */
  network = (action: "connect" | "disconnect"): Promise<string> =>
    this.docker("network", action, "bridge", this.#options.name);

  /** A second of the database's clock, as orion-archive takes it, that is over a second away from calls before and after this one. */
  async pause(): Promise<string> {
    await sleep(1200);
    const now = await this.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')");
    await sleep(1200);
    return now;
  }

  /** Bytes of the repository in the bucket: those of base backups, and those of archived WAL. */
  async repository(): Promise<{ readonly backups: number; readonly wal: number }> {
    const { r2 } = this;
    return { backups: await r2.size(`${archivePrefix}backup`), wal: await r2.size(`${archivePrefix}archive`) };
  }

  /** Loses container and data, and starts a new, empty database in their place. */
  async loseData(): Promise<void> {
    await this.docker("rm", "--force", "--volumes", this.#options.name);
    await this.#inData("find /d/postgres -mindepth 1 -delete");
    await this.runDatabase();
  }

  /** Starts a replica of the database as it is now, whose files base backups read from then on. */
  async startReplica(): Promise<LabReplica> {
    const folder = dirname(this.data);
    await this.#inData("mkdir -p /d/replica");
    this.#replica = await LabReplica.start({
      ...{ image: this.#image, primary: this.#options.name, folder: this.#certificates, data: join(folder, "replica") },
      ...{ address: this.r2.address, settings: this.#settings },
    });
    await this.#writeOnServer(archiveSettingsFile, this.#archiveSettings(this.#replica.archive));
    return this.#replica;
  }

  /** PostgreSQL's settings. */
  get #settings(): Readonly<Record<string, string>> {
    return { ...postgresSettings(this.#options.memoryMb ?? 1024), ...archiveSettings, ...tlsSettings };
  }

  async runDatabase(): Promise<void> {
    const { name, memoryMb = 1024 } = this.#options;
    const environment = {
      ...{ ...archiveEnvironment, PGUSER: "orion_user", PGDATABASE: labDatabase, POSTGRES_PASSWORD: "any" },
      ...{ POSTGRES_USER: "orion_user", POSTGRES_DB: labDatabase },
    };
    await this.docker(
      ...["run", "--detach", "--init", "--name", name, ...this.r2.known, "--memory", `${memoryMb}m`],
      ...[
        "--shm-size",
        `${Math.floor(memoryMb / 4)}m`,
        "--read-only",
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/var/run/postgresql",
      ],
      ...["--volume", `${this.data}:${containerDataFolder}`, "--volume", `${this.#files}:${filesDirectory}:ro`],
      ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      ...[this.#image, ...tlsCommand(this.#settings)],
    );
    try {
      await eventually(() => this.docker("exec", name, "pg_isready", "-h", "127.0.0.1").then(() => undefined), 60);
    } catch (error) {
      throw new Error((await run("docker", ["logs", "--tail", "30", name])).output, { cause: error });
    }
  }

  /** Starts the server, and brings its command and settings to it. */
  async #startServer(): Promise<void> {
    const { root } = this.#options;
    const images = new MachineImages({ root, logs: temporaryFolder("logs"), progress: progressOn(process.stderr) });
    const folder = dirname(this.data);
    await this.docker(
      ...["run", "--detach", "--init", "--name", this.server, "--network", "none", "--entrypoint", "sleep"],
      ...["--volume", "/var/run/docker.sock:/var/run/docker.sock", "--volume", `${folder}:${folder}`],
      ...[await images.name("server"), "infinity"],
    );
    const files = {
      [archiveCommand]: archiveScript,
      [archiveSettingsFile]: this.#archiveSettings(),
      ...standIns(this.r2.known),
    };
    for (const [path, text] of Object.entries(files)) await this.#writeOnServer(path, text);
  }

  #archiveSettings = (replica?: ArchiveReplica): string =>
    archiveSettingsText({
      ...{
        container: this.#options.name,
        image: this.#image,
        filesVolume: this.#files,
        data: this.data,
        database: labDatabase,
      },
      replica,
    });

  async #writeOnServer(path: string, text: string): Promise<void> {
    const write = `mkdir -p /run/lock "$(dirname ${path})"; cat > ${path}; chmod 0755 ${path}`;
    const { code, output } = await run("docker", ["exec", "--interactive", this.server, "sh", "-euc", write], {
      input: text,
    });
    if (code !== 0) throw new Error(output);
  }

  /** Runs a script as root, with the folder of the data as /d. */
  #inData = (script: string): Promise<string> =>
    this.docker(
      ...["run", "--rm", "--volume", `${dirname(this.data)}:/d`, "--entrypoint", "sh", this.#image, "-euc", script],
    );
}

/** @throws {Error} with everything it printed */
function succeeded(words: readonly string[], outcome: Outcome): Outcome {
  if (outcome.code !== 0) throw new Error(`orion-archive ${words.join(" ")}: ${outcome.output}`);
  return outcome;
}
