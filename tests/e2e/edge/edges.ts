/** Edges for tests: nginx in a container with the program's configuration, and an app that answers with what it received. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { type NginxConfig, nginxConfig } from "../../../components/edge-proxy/nginx-config.ts";
import { presets } from "../../../config/presets.ts";
import { officialImages } from "../../../config/images.ts";
import { internalPaths } from "../../../config/schema.ts";
import { newKey, openssl } from "../../../testing/certificate.ts";
import { eventually } from "../../../testing/eventually.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { tryRun } from "../../../common/process.ts";
import { nginxProcesses } from "../../../components/edge-proxy/edge-proxy.ts";
import { dockerBy } from "../../../plugin/docker.ts";
import { reloadLiveFiles } from "../../../plugin/live-files.ts";
import { freePort } from "../../../common/ports.ts";
import { docker } from "../../../testing/sandbox.ts";

export const hostname = "orion.example.com";

const { bodyLimitMb, responseSeconds, limits, headers, websockets } = presets.mvp.edge;

/** The configuration of phase mvp, whose clients are `trustedProxies` only when a test says so. */
export const ofMvp: NginxConfig = {
  ...{ port: 8080, app: { host: "app", port: 8000 }, hostname, healthPort: 8081, trustedProxies: [] },
  ...{ bodyLimitMb, responseSeconds, limits, headers, websockets, privatePaths: [...internalPaths] },
  healthPath: "/health",
  tls: { port: 8443, certificate: "edge.crt", key: "edge.key" },
};

/** Files in PEM. */
export type Files = Readonly<Record<string, string>>;

/** A client's certificate with its key, signed by an authority of {@link selfSigned}. */
export function clientOf(
  authority: { readonly folder: string },
  name: string,
): { readonly cert: string; readonly key: string } {
  const folder = temporaryFolder("client");
  openssl(folder, "request.pem", "req", "-new", ...newKey, "-subj", `/CN=${name}`);
  writeFileSync(join(folder, "use"), "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n");
  const ca = ["-CA", join(authority.folder, "ca.pem"), "-CAkey", join(authority.folder, "key.pem"), "-CAcreateserial"];
  const cert = openssl(
    folder,
    "client.pem",
    ...["x509", "-req", "-in", "request.pem", "-days", "30", "-extfile", "use"],
    ...ca,
  );
  return { cert, key: readFileSync(join(folder, "key.pem"), "utf8") };
}

/** What came back for raw bytes; `status` is undefined when the connection was closed without an answer. */
export interface Raw {
  readonly status: number | undefined;
  readonly text: string;
}

/** Ports of this machine. */
interface EdgePorts {
  readonly tls: number;
  readonly plain: number;
  readonly health: number;
}

/** An edge in a container. */
export class TestEdge {
  readonly name: string;
  readonly #folder = temporaryFolder("edge");
  readonly #ports: EdgePorts;

  private constructor(name: string, ports: EdgePorts) {
    this.name = name;
    this.#ports = ports;
  }

  /** @param tlsAddress where its TLS port is published besides, such as `127.1.2.3:443` */
  static async start(
    network: string,
    name: string,
    config: NginxConfig,
    files: Files,
    tlsAddress?: string,
  ): Promise<TestEdge> {
    const edge = new TestEdge(name, { tls: await freePort(), plain: await freePort(), health: await freePort() });
    edge.#write(config, files);
    const { tls, plain, health } = edge.#ports;
    docker(
      ...["run", "--detach", "--pull", "never", "--name", name, "--network", network],
      ...["--volume", `${edge.#folder}:/etc/orion/edge/current:ro`],
      ...["--publish", `127.0.0.1:${tls}:8443`, "--publish", `127.0.0.1:${plain}:8080`],
      ...["--publish", `127.0.0.1:${health}:8081`],
      ...(tlsAddress === undefined ? [] : ["--publish", `${tlsAddress}:8443`]),
      ...[officialImages.nginx, "nginx", "-c", "/etc/orion/edge/current/nginx.conf", "-g", "daemon off;"],
    );
    await eventually(async () => {
      const { status } = await edge.plain("GET /edge-health HTTP/1.0\r\n\r\n", "health");
      if (status !== 200) throw new Error(`${name}: ${docker("logs", name).join("\n")}`);
    }, 30);
    return edge;
  }

  #write(config: NginxConfig, files: Files): void {
    mkdirSync(this.#folder, { recursive: true });
    chmodSync(this.#folder, 0o755);
    for (const [file, text] of Object.entries({ ...files, "nginx.conf": nginxConfig(config) })) {
      writeFileSync(join(this.#folder, file), text, { mode: 0o644 });
    }
  }

  /** As the update of its live files does. */
  async reload(config: NginxConfig, files: Files): Promise<void> {
    this.#write(config, files);
    const command = ["nginx", "-s", "reload", "-c", "/etc/orion/edge/current/nginx.conf"];
    const engine = { dockerHost: process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock" };
    const how = { ...engine, container: this.name, reload: command, processes: nginxProcesses };
    await reloadLiveFiles(how, dockerBy(tryRun));
  }

  /** Opens a TLS connection; rejects when the handshake fails. */
  connect(options: ConnectionOptions & { readonly allowHalfOpen?: boolean } = {}): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const at = { host: "127.0.0.1", port: this.#ports.tls, rejectUnauthorized: false };
      const socket = connectTls({ ...at, servername: hostname, ...options }, () => {
        resolve(socket);
      });
      socket.once("error", reject);
    });
  }

  /** Sends bytes over TLS. */
  async send(bytes: string, options?: ConnectionOptions): Promise<Raw> {
    try {
      return await exchange(await this.connect(options), bytes);
    } catch (error) {
      return { status: undefined, text: String(error) };
    }
  }

  /** Sends bytes without TLS, to port 80 or to the port of health checks. */
  plain(bytes: string, to: "plain" | "health" = "plain"): Promise<Raw> {
    return exchange(connectTcp(this.#ports[to], "127.0.0.1"), bytes);
  }

  /** GET over TLS. */
  get(path: string, more: Readonly<Record<string, string>> = {}, options?: ConnectionOptions): Promise<Raw> {
    return this.ask("GET", path, more, options);
  }

  /** A request without a body over TLS. */
  ask(
    method: string,
    path: string,
    more: Readonly<Record<string, string>> = {},
    options?: ConnectionOptions,
  ): Promise<Raw> {
    const lines = Object.entries({ Host: hostname, Connection: "close", ...more }).map(
      ([key, value]) => `${key}: ${value}`,
    );
    return this.send(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`, options);
  }
}

/** Sends bytes, and resolves with the answer once the other side has closed the connection. */
function exchange(socket: Socket, bytes: string): Promise<Raw> {
  return new Promise((resolve) => {
    let text = "";
    const end = (): void => {
      socket.destroy();
      const [, status] = /^HTTP\/1\.[01] (\d+)/.exec(text) ?? [];
      resolve({ status: status === undefined ? undefined : Number(status), text });
    };
    socket.setEncoding("latin1");
    socket.setTimeout(15_000, end);
    socket.on("data", (part: string) => (text += part));
    socket.once("end", end);
    socket.once("close", end);
    socket.once("error", end);
    socket.write(bytes);
  });
}

/** The network and the app of a test, with everything that is named like them. */
export class EdgeBench {
  readonly prefix = `orion-test-edge-${process.pid}`;
  readonly network = `${this.prefix}-network`;

  start(): void {
    docker("network", "create", this.network);
    this.app("app", "app");
  }

  /** An instance of the app, under names in the network; its host name is its own. @returns its container */
  app(name: string, ...aliases: readonly string[]): string {
    const app = join(import.meta.dirname, "app.py");
    const container = `${this.prefix}-${name}`;
    docker(
      ...["run", "--detach", "--init", "--pull", "never", "--name", container, "--hostname", name],
      ...["--network", this.network, ...aliases.flatMap((alias) => ["--network-alias", alias])],
      ...["--volume", `${app}:/app.py:ro`, officialImages.python, "python", "/app.py"],
    );
    return container;
  }

  edge(name: string, config: NginxConfig, files: Files, tlsAddress?: string): Promise<TestEdge> {
    return TestEdge.start(this.network, `${this.prefix}-${name}`, config, files, tlsAddress);
  }

  /** The addresses of the network: a request that Docker publishes comes from one of them. */
  range(): string {
    const [range = ""] = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", this.network);
    return range;
  }

  stop(): void {
    for (const name of docker("ps", "--all", "--filter", `name=${this.prefix}`, "--format", "{{.Names}}")) {
      docker("rm", "--force", "--volumes", name);
    }
    docker("network", "rm", this.network);
  }
}
