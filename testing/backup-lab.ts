/**
 * The scripts of backup and restore drill in a container that stands for a server, beside a real PostgreSQL, an S3 server with
 * the rules of R2 and a monitor, for tests and benches. The server uses this machine's Docker Engine and network.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { alertCommand, alertsFile, backupCommand, backupKeyVariable, drillCommand } from "../common/server-contract.ts";
import { alertScript, alertsText } from "../components/alerts/alert-script.ts";
import { type BackupSettings, databaseText, settingsText, storeText } from "../components/database/backup-files.ts";
import { keyPair } from "../components/database/backup-key.ts";
import { backupScript } from "../components/database/backup-script.ts";
import { restoreDrillScript } from "../components/database/restore-drill-script.ts";
import { officialImages } from "../config/images.ts";
import { presets } from "../config/presets.ts";
import { MachineImages } from "../rehearsal/machines/docker/images.ts";
import { progressOn } from "../toolchain/src/progress.ts";
import { bridgeAddress } from "./bridge-address.ts";
import { eventually } from "./eventually.ts";
import { temporaryFolder } from "./folder.ts";
import { R2Store } from "./r2-store.ts";
import { type Ran, succeed } from "./sandbox.ts";

export interface LabOptions {
  readonly root: string;
  /** Names of the containers of PostgreSQL. */
  readonly primary: string;
  readonly replica?: string;
  readonly policy?: Partial<BackupSettings["policy"]>;
}

const bucket = "orion-files-backups";
const password = "p4ssw0rd";
const reader = "orion_backup";
const access = { id: "the-id", secret: "the-secret" };

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const listening = (server: Server, address: string): Promise<void> =>
  new Promise((go) => {
    server.listen(0, address, go);
  });

/** Everything has the name of the primary and goes into a temporary folder. */
export class BackupLab {
  readonly #options: LabOptions;
  readonly folder = temporaryFolder("backups");
  readonly key = keyPair(Buffer.alloc(32, 7));
  /** What people were told, and the paths of heartbeats. */
  readonly alerts: string[] = [];
  readonly beats: string[] = [];
  /** The time of the newest complete backup. */
  newest = "";
  readonly #door: Server;
  readonly #monitor: HttpServer;
  readonly #server: string;
  #r2: R2Store | undefined;
  #endpoint = "";

  constructor(options: LabOptions) {
    this.#options = options;
    this.#server = `${options.primary}-server`;
    // It listens on loopback only; containers reach it through the address of Docker's bridge.
    this.#door = createServer((socket) => {
      const inner = connect(this.#r2?.port ?? 0, "127.0.0.1");
      for (const each of [socket, inner]) each.on("error", () => each.destroy());
      socket.pipe(inner).pipe(socket);
    });
    this.#monitor = createHttpServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        if (request.method === "POST") this.alerts.push((JSON.parse(body) as { text: string }).text);
        else this.beats.push(request.url ?? "");
        response.end();
      });
    });
  }

  /** What S3 clients in containers need. */
  get store() {
    return { endpoint: this.#endpoint, bucket, ...access };
  }

  /** Starts the S3 server and the primary, and installs the scripts. */
  async start(): Promise<void> {
    const { root, primary } = this.#options;
    this.#r2 = await R2Store.start({ root, folder: join(this.folder, "objects"), bucket, access });
    const bridge = bridgeAddress();
    await listening(this.#door, bridge);
    await listening(this.#monitor, "127.0.0.1");
    this.#endpoint = `http://${bridge}:${portOf(this.#door)}`;
    await this.#install(`http://127.0.0.1:${portOf(this.#monitor)}`);
    await this.docker("network", "create", primary);
    await this.docker(
      ...["run", "--detach", "--name", primary, "--network", primary, "--env", `POSTGRES_PASSWORD=${password}`],
      ...["--env", "POSTGRES_USER=orion_user", "--env", "POSTGRES_DB=orion_db", officialImages.postgres],
    );
    await this.#answers(primary);
    // No more rights than the program's own role for backups has.
    await this.sql(primary, `CREATE ROLE ${reader} LOGIN BYPASSRLS PASSWORD '${password}'`);
    await this.sql(primary, `GRANT pg_read_all_data, pg_monitor TO ${reader}`);
  }

  async startReplica(): Promise<void> {
    const { primary, replica = "" } = this.#options;
    const admit = 'echo "host replication all all scram-sha-256" >> "$PGDATA/pg_hba.conf"';
    await this.docker("exec", primary, "sh", "-c", admit);
    await this.sql(primary, "SELECT pg_reload_conf()");
    await this.docker(
      ...["run", "--detach", "--name", replica, "--network", primary, "--user", "postgres"],
      ...["--env", `PGPASSWORD=${password}`, "--entrypoint", "sh", officialImages.postgres, "-c"],
      `pg_basebackup -h ${primary} -U orion_user -D "$PGDATA" -R -C -S replica_1 -X stream -c fast && chmod 700 "$PGDATA" && exec postgres`,
    );
    await this.#answers(replica);
  }

  async stop(): Promise<void> {
    const { primary, replica = primary } = this.#options;
    await this.run("docker", ["rm", "--force", "--volumes", primary, replica, this.#server]);
    await this.run("docker", ["network", "rm", primary]);
    this.#door.close();
    this.#monitor.close();
    await this.#r2?.stop();
  }

  /** Asynchronously: the servers that the scripts talk to are in this process. */
  run(program: string, args: readonly string[], input = ""): Promise<Ran> {
    const child = spawn(program, args);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    // A script that ends at once does not read it.
    child.stdin.on("error", () => undefined).end(input);
    return new Promise((settle, fail) => {
      child.once("error", fail);
      child.once("close", (code) => {
        settle({ code: code ?? -1, output });
      });
    });
  }

  docker = async (...args: string[]): Promise<string> => succeed(await this.run("docker", args)).trim();

  sql = (server: string, text: string): Promise<string> =>
    this.docker("exec", server, "psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-U", "orion_user", "orion_db", "-c", text);

  /** Runs a shell script on the server. */
  shell = (script: string): Promise<Ran> => this.run("docker", ["exec", this.#server, "sh", "-euc", script]);

  /** Runs `orion-backup` with these words. */
  command = (...words: string[]): Promise<Ran> => this.run("docker", ["exec", this.#server, backupCommand, ...words]);

  /** Takes a backup. Each has a time of its own, to the second. */
  async backup(): Promise<Ran> {
    while (this.newest >= new Date().toISOString().replaceAll(/[-:]|\.\d+/g, ""))
      await new Promise((go) => setTimeout(go, 100));
    const ran = await this.command();
    [, this.newest = this.newest] = /^(\w+)\.manifest: /m.exec(ran.output) ?? [];
    return ran;
  }

  /** The lines of `orion-backup list`, the newest first. */
  list = async (): Promise<string[]> =>
    succeed(await this.command("list"))
      .split("\n")
      .filter((line) => line !== "");

  /** The manifest of the newest backup. */
  manifest = async (): Promise<string> => succeed(await this.command("cat", `${this.newest}.manifest`));

  /** Runs the restore drill. @param identity a private key. @default - none @param words of the command */
  drill(identity?: string, ...words: string[]): Promise<Ran> {
    if (identity !== undefined) writeFileSync(join(this.folder, "key"), `${identity}\n`);
    const key = identity === undefined ? [] : ["--env", `${backupKeyVariable}=/etc/orion/backup/key`];
    return this.run("docker", ["exec", ...key, this.#server, drillCommand, ...words]);
  }

  #answers(server: string): Promise<void> {
    return eventually(
      () => this.docker("exec", server, "pg_isready", "-h", "127.0.0.1", "-U", "orion_user").then(() => undefined),
      90,
    );
  }

  /** Starts the server, and brings the program's own texts to it. */
  async #install(monitor: string): Promise<void> {
    const { root, primary, replica, policy } = this.#options;
    const settings = {
      ...{ bucket, network: primary, postgresImage: officialImages.postgres, rcloneImage: officialImages.rclone },
      // The role cannot read the passwords of roles.
      ...{ appImage: undefined, recipient: this.key.recipient, policy: { ...presets.mvp.backups, ...policy } },
    };
    const heartbeats = { backup: `${monitor}/backup`, drill: `${monitor}/drill` };
    const urlOf = (server: string): string => `postgresql://${reader}:${password}@${server}:5432/orion_db`;
    const files = {
      settings: settingsText(settings),
      "store.env": storeText({ endpoint: this.#endpoint, accessKeyId: access.id, secretAccessKey: access.secret }),
      "database.env": databaseText(urlOf(primary)),
      ...(replica !== undefined && { "replica.env": databaseText(urlOf(replica)) }),
    };
    for (const [file, text] of Object.entries(files)) writeFileSync(join(this.folder, file), text);
    const images = new MachineImages({ root, logs: join(this.folder, "logs"), progress: progressOn(process.stderr) });
    await this.docker(
      ...["run", "--detach", "--init", "--name", this.#server, "--network", "host", "--entrypoint", "sleep"],
      ...["--volume", "/var/run/docker.sock:/var/run/docker.sock", "--volume", `${this.folder}:/etc/orion/backup`],
      ...[await images.name("server"), "infinity"],
    );
    const texts = {
      [alertCommand]: alertScript,
      [backupCommand]: backupScript,
      [drillCommand]: restoreDrillScript,
      [alertsFile]: alertsText({ stack: "prod", server: "db-2", webhook: `${monitor}/alert`, heartbeats }),
    };
    for (const [path, text] of Object.entries(texts)) {
      const write = `mkdir -p /run/lock; cat > ${path}; chmod 0755 ${path}`;
      succeed(await this.run("docker", ["exec", "--interactive", this.#server, "sh", "-euc", write], text));
    }
  }
}
