/** Gateways with the servers behind them, with the program's own files, in containers of this machine; for tests and benches. */
import { run } from "../common/process.ts";
import { gatewayCommand, gatewayDirectory, gatewayFileAccess, gatewayFiles } from "../components/gateway/gateway.ts";
import { authorityName, type GatewayListener, healthPort } from "../components/gateway/haproxy-config.ts";
import type { GatewayPasswords } from "../components/gateway/sentinel-lines.ts";
import { hbaText } from "../components/database/hba.ts";
import { postgresSettings } from "../components/database/postgres-settings.ts";
import {
  fileNames,
  filesDirectory,
  reloadFiles,
  tlsCommand,
  tlsSettings,
} from "../components/database/postgres-tls.ts";
import { passwordVariables, rolesScript } from "../components/database/roles.ts";
import { officialImages } from "../config/images.ts";
import { dockerBy } from "../plugin/docker.ts";
import { writeLiveFiles } from "../plugin/live-files.ts";
import { runSqlScript } from "../plugin/sql-script.ts";
import { gatewayHost } from "../topology/services/gateway.ts";
import { eventually } from "./eventually.ts";
import { RedisLab } from "./redis-lab.ts";

const dockerHost = "unix:///var/run/docker.sock";
const docker = dockerBy(run);
const authority = "lab";

/** The password of each of the database's roles, by its variable. */
export const databasePasswords: Readonly<Record<string, string>> = Object.fromEntries(
  passwordVariables.map((name) => [name, `${name}-password`]),
);

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
          [authorityName]: this.certify("gateway", "DNS:none", authority).authority,
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
    await this.write(name, { tls: this.certify(name, `DNS:${name}`, authority), use: "all" });
    await this.startRedis(name);
  }

  /** A PostgreSQL server with TLS and the platform's roles. */
  async startPostgres(name: string, { memoryMb = 256, maxConnections = 100 } = {}): Promise<void> {
    const tls = this.certify(name, `DNS:${name},DNS:${gatewayHost}`, authority);
    await writeLiveFiles(
      {
        ...{ dockerHost, volume: this.named(`${name}-files`), directory: filesDirectory },
        ...{ image: officialImages.postgres, check: ["test", "-s", `{}/${fileNames.hba}`] },
        files: {
          [fileNames.hba]: hbaText("orion_db", () => ({ beside: true, ranges: [] })),
          ...{ [fileNames.certificate]: tls.certificate, [fileNames.key]: tls.privateKey },
          [fileNames.authority]: tls.authority,
        },
        ...{ container: this.named(name), reload: ["sh", "-c", reloadFiles] },
      },
      docker,
    );
    const environment = {
      ...{ POSTGRES_USER: "orion_user", POSTGRES_DB: "orion_db", POSTGRES_PASSWORD: "none" },
      ...{ PGUSER: "orion_user", PGDATABASE: "orion_db" },
    };
    this.start(
      name,
      ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      ...["--tmpfs", "/var/lib/postgresql/data:size=1g", "--shm-size", "128m"],
      ...["--volume", `${this.named(`${name}-files`)}:${filesDirectory}:ro`, officialImages.postgres],
      ...tlsCommand({ ...postgresSettings(memoryMb, maxConnections), ...tlsSettings }),
    );
    await eventually(() => {
      const { code, output } = this.inside(name, ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "orion_monitor"]);
      if (code !== 0) throw new Error(`${name}: ${output}`);
    });
    await runSqlScript(
      {
        ...{ dockerHost, container: this.named(name), timeoutSeconds: 60 },
        script: rolesScript({ database: "orion_db", extensions: [], rotation: 0 }),
        variables: databasePasswords,
      },
      docker,
    );
  }

  /** A container's address, as a plan has addresses of servers and no names. */
  address(name: string): string {
    const format = `{{(index .NetworkSettings.Networks "${this.prefix}").IPAddress}}`;
    return this.must(["inspect", "--format", format, this.named(name)]);
  }

  /** The file of the authority that has signed all certificates of the lab. */
  get authorityFile(): string {
    return `${this.folder}/${authority}-ca.crt`;
  }
}
