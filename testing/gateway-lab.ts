/** Gateways with the servers behind them, with the program's own files, in containers of this machine; for tests and benches. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gatewayCommand, gatewayDirectory, gatewayFileAccess, gatewayFiles } from "../components/gateway/gateway.ts";
import { authorityName, type GatewayListener, healthPort } from "../components/gateway/haproxy-config.ts";
import type { GatewayPasswords } from "../components/gateway/sentinel-lines.ts";
import { poolerCommand, poolerFileAccess } from "../components/pooler/pooler.ts";
import {
  pgbouncerConfig,
  type PgbouncerConfig,
  poolerDirectory,
  poolerFiles,
  usersText,
} from "../components/pooler/pgbouncer-config.ts";
import { postgresSettings } from "../components/database/postgres-settings.ts";
import { fileNames, filesDirectory, tlsCommand, tlsSettings } from "../components/database/postgres-tls.ts";
import { replicaHealthEnvironment } from "../components/database/replica-health.ts";
import { replicaHealthScript } from "../components/database/replica-health-script.ts";
import { passwordsText, replicaCommand, replicaSettings } from "../components/database/replication.ts";
import { authorityFile } from "../common/server-contract.ts";
import { officialImages } from "../config/images.ts";
import { writeLiveFiles } from "../plugin/live-files.ts";
import { gatewayHost } from "../topology/services/gateway.ts";
import { poolerConsole } from "../topology/services/pgbouncer.ts";
import { eventually } from "./eventually.ts";
import {
  admitReplica,
  databasePasswords,
  docker,
  dockerHost,
  giveRoles,
  labAuthority,
  postgresFiles,
  writePostgresFiles,
} from "./lab-postgres.ts";
import { RedisLab } from "./redis-lab.ts";

export class GatewayLab extends RedisLab {
  /** Writes the gateway's live files as an update does. */
  async writeGateway(listeners: readonly GatewayListener[], passwords?: GatewayPasswords): Promise<void> {
    await writeLiveFiles(
      {
        ...{ dockerHost, volume: this.named("gateway-files"), directory: gatewayDirectory },
        ...{ image: officialImages.haproxy, container: this.named("gateway") },
        ...gatewayFileAccess,
        files: {
          ...gatewayFiles(listeners, passwords),
          [authorityName]: this.certify("gateway", "DNS:none", labAuthority).authority,
        },
      },
      docker,
    );
  }

  /** Starts the gateway with the files of {@link writeGateway}, and waits until it is healthy. */
  async startGateway(): Promise<void> {
    const files = ["--volume", `${this.named("gateway-files")}:${gatewayDirectory}:ro`];
    const confined = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--memory", "192m"];
    const alias = ["--network-alias", gatewayHost];
    this.start("gateway", ...alias, ...files, ...confined, officialImages.haproxy, ...gatewayCommand);
    await eventually(() => {
      const { code, output } = this.inside("gateway", [
        ...[
          "bash",
          "-c",
          `exec 3<>/dev/tcp/127.0.0.1/${healthPort} && printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3`,
        ],
      ]);
      if (code !== 0 || !output.includes(" 200 ")) throw new Error(`gateway: ${output}`);
    });
  }

  /** A Redis with TLS, as on a server. */
  async startSecureRedis(name: string): Promise<void> {
    await this.write(name, { tls: this.certify(name, `DNS:${name}`, labAuthority), use: "all" });
    await this.startRedis(name);
  }

  /** A PostgreSQL server with TLS and the platform's roles. */
  async startPostgres(name: string, { memoryMb = 256, maxConnections = 100 } = {}): Promise<void> {
    await this.#writePostgres(name);
    this.#runPostgres(name, tlsCommand({ ...postgresSettings(memoryMb, maxConnections), ...tlsSettings }));
    await this.#acceptsConnections(name);
    await this.giveRoles(name);
  }

  /** A streaming replica, with the service that tells whether it may be read. */
  async startReplica(name: string, primary: string): Promise<void> {
    const source = { host: primary, port: "5432", slot: name };
    await admitReplica(this.named(primary), name);
    const password = databasePasswords["replication"] ?? "";
    await this.#writePostgres(name, { [fileNames.passwords]: passwordsText(source, password) });
    const settings = { ...postgresSettings(256, 100), ...tlsSettings, ...replicaSettings(source) };
    this.#runPostgres(name, replicaCommand(source, settings));
    await this.#acceptsConnections(name);
    const files = join(this.folder, `${name}-health`);
    mkdirSync(files);
    writeFileSync(join(files, "health.pl"), replicaHealthScript);
    writeFileSync(join(files, "passwords"), `*:*:*:*:${databasePasswords["monitor"] ?? ""}\n`, { mode: 0o400 });
    this.start(
      `${name}-health`,
      ...Object.entries(replicaHealthEnvironment(name)).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      ...["--volume", `${this.authorityFile}:${authorityFile}:ro`, "--volume", `${files}:/etc/orion-health:ro`],
      ...["--cap-drop", "ALL", "--read-only", "--memory", "64m", "--entrypoint", "perl"],
      ...[officialImages.postgres, "/etc/orion-health/health.pl"],
    );
  }

  #writePostgres(name: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    const files = { ...postgresFiles(this.folder, name, [name, gatewayHost]), ...more };
    return writePostgresFiles(officialImages.postgres, this.named(name), this.named(`${name}-files`), files);
  }

  #runPostgres(name: string, command: readonly string[]): void {
    const environment = {
      ...{ POSTGRES_USER: "orion_user", POSTGRES_DB: "orion_db", POSTGRES_PASSWORD: "none" },
      ...{ PGUSER: "orion_user", PGDATABASE: "orion_db" },
    };
    this.start(
      name,
      ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      ...["--env", "PGDATA=/var/lib/postgresql/data", "--network-alias", name, "--shm-size", "128m"],
      ...["--volume", `${this.named(`${name}-files`)}:${filesDirectory}:ro`, officialImages.postgres],
      ...command,
    );
  }

  async #acceptsConnections(name: string): Promise<void> {
    await eventually(() => {
      const { code, output } = this.inside(name, ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "orion_monitor"]);
      if (code !== 0) throw new Error(`${name}: ${output}`);
    });
  }

  /** Runs the program's script for roles. @param passwords in place of the usual ones */
  giveRoles(name: string, rotation = 0, passwords: Readonly<Record<string, string>> = {}): Promise<void> {
    return giveRoles(this.named(name), rotation, passwords);
  }

  /** A pooler as the program makes it, with the gateway's own port as its way to the server. */
  async startPooler(name: string, image: string, config: PgbouncerConfig): Promise<void> {
    const tls = this.certify(name, `DNS:${name},DNS:${gatewayHost}`, labAuthority);
    await writeLiveFiles(
      {
        ...{ dockerHost, volume: this.named(`${name}-files`), directory: poolerDirectory, image },
        ...{ ...poolerFileAccess, container: this.named(name) },
        files: {
          [poolerFiles.configuration]: pgbouncerConfig(config),
          [poolerFiles.users]: usersText(databasePasswords["pooler"] ?? ""),
          ...{ [poolerFiles.certificate]: tls.certificate, [poolerFiles.key]: tls.privateKey },
          [poolerFiles.authority]: tls.authority,
        },
      },
      docker,
    );
    const files = ["--volume", `${this.named(`${name}-files`)}:${poolerDirectory}:ro`];
    const confined = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--memory", "192m"];
    this.start(name, ...files, ...confined, image, ...poolerCommand);
    await eventually(() => {
      const { code, output } = this.inside(name, ["sh", "-c", `${poolerConsole} -Atc 'SHOW VERSION'`]);
      if (code !== 0) throw new Error(`${name}: ${output}`);
    });
  }

  /** A container's address, as a plan has addresses of servers and no names. */
  address(name: string): string {
    const format = `{{(index .NetworkSettings.Networks "${this.prefix}").IPAddress}}`;
    return this.must(["inspect", "--format", format, this.named(name)]);
  }

  /** The file of the authority that has signed all certificates of the lab. */
  get authorityFile(): string {
    return `${this.folder}/${labAuthority}-ca.crt`;
  }
}
