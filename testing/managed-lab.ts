/**
 * PostgreSQL and Redis as a provider runs them: outside of the stack, over TLS with an authority of its own, with a role that is
 * no superuser, and with a pooler in front. In containers of this machine, or on the Internet of a rehearsal cloud (lab-place.ts).
 */
import { connect, createServer, type Server } from "node:net";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../common/ports.ts";
import { officialImages } from "../config/images.ts";
import { buildImage } from "./docker-image.ts";
import { eventually } from "./eventually.ts";
import { type LabPlace, onBridge } from "./lab-place.ts";
import { RedisLab } from "./redis-lab.ts";

export interface ManagedPostgres {
  /** Of the role `app`, which owns the database `shop`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** SQL as the provider's superuser. @returns rows, without white space at their ends */
  readonly sql: (text: string, database?: string) => string;
}

const pooler = `FROM ${officialImages.postgres}
RUN apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends pgbouncer && rm -rf /var/lib/apt/lists/*
`;
const poolerImage = "orion/test-pgbouncer";
/** A PostgreSQL that is newer than the platform's, from Debian's next release. */
const newer = `FROM ${officialImages.postgres}
RUN sed -i 's/\\bbookworm\\b/trixie/' $(ls /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null) \\
 && apt-get update --quiet && DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends postgresql-17 \\
 && rm -rf /var/lib/apt/lists/*
ENV PG_MAJOR=17 LANG=C.UTF-8 PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
`;
const newerImage = "orion/test-postgres-17";
const login = "app:app-Password/1";
const inUrl = "app:app-Password%2F1";

export class ManagedLab extends RedisLab {
  /** File with the certificate of the provider's authority. */
  readonly authority: string;
  readonly #place: LabPlace;
  readonly #proxies: Server[] = [];

  constructor(prefix: string, place: LabPlace = onBridge()) {
    super(prefix, ...place.network);
    this.#place = place;
    const tls = this.certify("provider", place.certified);
    this.authority = join(this.folder, "provider-ca.crt");
    mkdirSync(join(this.folder, "tls"));
    for (const [file, text] of Object.entries({ "tls.crt": tls.certificate, "tls.key": tls.privateKey })) {
      writeFileSync(join(this.folder, "tls", file), text);
    }
    writeFileSync(join(this.folder, "tls", "ca.crt"), tls.authority);
    // Mounted into containers whose users this machine does not know; each makes itself a private copy of the key.
    for (const path of [this.folder, join(this.folder, "tls")]) chmodSync(path, 0o755);
    chmodSync(join(this.folder, "tls", "tls.key"), 0o644);
  }

  /** Parameters of a URL with which a client verifies a PostgreSQL of the lab. */
  get verifying(): string {
    return `?sslmode=verify-full&sslrootcert=${this.authority}`;
  }

  /**
   * @param settings of the server: `max_connections=40`
   * @param major version: that of the platform, or a newer one
   */
  async startPostgres(
    name: string,
    { settings = [], tls = true, major = 15 }: { settings?: readonly string[]; tls?: boolean; major?: 15 | 17 } = {},
  ): Promise<ManagedPostgres> {
    if (major === 17) buildImage(newerImage, newer);
    const { options: at, host, port } = await this.#place.give(name, 5432);
    const options = [
      ...(tls ? ["ssl=on", "ssl_cert_file=/tmp/tls.crt", "ssl_key_file=/tmp/tls.key"] : []),
      "fsync=off",
      "listen_addresses=*",
      ...settings,
    ];
    const start = `cp /tls/tls.crt /tls/tls.key /tmp/ && chown postgres /tmp/tls.* && chmod 600 /tmp/tls.key && exec docker-entrypoint.sh postgres ${options.map((one) => `-c '${one}'`).join(" ")}`;
    this.start(
      name,
      ...[...at, "--volume", `${join(this.folder, "tls")}:/tls:ro`],
      ...[
        "--tmpfs",
        "/var/lib/postgresql/data",
        "--shm-size",
        "128m",
        "--env",
        "POSTGRES_PASSWORD=provider",
        "--env",
        "PGUSER=postgres",
      ],
      ...["--entrypoint", "sh", major === 17 ? newerImage : officialImages.postgres, "-c", start],
    );
    const sql = (text: string, database = "shop"): string => {
      const { code, output } = this.inside(name, ["psql", "-XqtA", "-v", "ON_ERROR_STOP=1", database], text);
      if (code !== 0) throw new Error(`${name}: ${output}`);
      return output;
    };
    await eventually(() => {
      const { code, output } = this.inside(name, ["pg_isready", "-h", "127.0.0.1"]);
      if (code !== 0) throw new Error(output);
    });
    sql(`CREATE ROLE app LOGIN PASSWORD '${login.split(":")[1] ?? ""}'; `, "postgres");
    sql("CREATE DATABASE shop OWNER app", "postgres");
    return { url: `postgresql://${inUrl}@${host}:${port}/shop`, host, port, sql };
  }

  /** PgBouncer in front of a PostgreSQL of the lab. @returns its URL */
  async startPooler(name: string, to: string, mode: "transaction" | "session"): Promise<string> {
    buildImage(poolerImage, pooler);
    const { options: at, host, port } = await this.#place.give(name, 6432);
    const [user = "", password = ""] = login.split(":");
    const settings = `[databases]\n* = host=${this.named(to)}\n[pgbouncer]\nlisten_addr = *\nlisten_port = 6432\nauth_type = plain\nauth_file = /tmp/users\npool_mode = ${mode}\nclient_tls_sslmode = allow\nclient_tls_cert_file = /tmp/tls.crt\nclient_tls_key_file = /tmp/tls.key\n`;
    const start = `cp /tls/tls.crt /tls/tls.key /tmp/ && chown -R nobody /tmp/tls.* && printf '%s' "$SETTINGS" >/tmp/pgbouncer.ini && echo '"${user}" "${password}"' >/tmp/users && exec pgbouncer -u nobody /tmp/pgbouncer.ini`;
    this.start(
      name,
      ...[...at, "--volume", `${join(this.folder, "tls")}:/tls:ro`],
      ...["--env", `SETTINGS=${settings}`, "--entrypoint", "sh", poolerImage, "-c", start],
    );
    return `postgresql://${inUrl}@${host}:${port}/shop`;
  }

  /**
   * A Redis over TLS with the user `app`.
   *
   * @param rights of the user, as Redis writes them
   * @param options of redis-server
   * @returns its URL, without a number of a database
   */
  async startManagedRedis(
    name: string,
    options: readonly string[] = [],
    rights = "~* &* +@all -@admin",
  ): Promise<string> {
    const { options: at, host, port } = await this.#place.give(name, 6379);
    const [user = "", password = ""] = login.split(":");
    const tls = [
      "--port",
      "0",
      "--tls-port",
      "6379",
      "--tls-cert-file",
      "/tls/tls.crt",
      "--tls-key-file",
      "/tls/tls.key",
    ];
    this.start(
      name,
      ...[...at, "--volume", `${join(this.folder, "tls")}:/tls:ro`, "--tmpfs", "/data"],
      ...[
        officialImages.redis,
        "redis-server",
        ...tls,
        "--tls-ca-cert-file",
        "/tls/ca.crt",
        "--tls-auth-clients",
        "no",
      ],
      ...["--user", "default", "off", "--user", user, "on", `>${password}`, ...rights.split(" "), ...options],
    );
    await eventually(() => {
      const { output } = this.inside(name, ["redis-cli", "--tls", "--insecure", "ping"]);
      if (!/NOAUTH|PONG/.test(output)) throw new Error(output);
    });
    return `rediss://${inUrl}@${host}:${port}`;
  }

  /**
   * The way to a service that is far away, and that sleeps: in this process.
   *
   * @param to the service, which containers of this machine reach
   * @param delayMs that each packet of the service takes longer
   * @param firstMs that the first connection takes longer
   * @returns its port at the service's address
   */
  async slowed(
    to: { readonly host: string; readonly port: number },
    { delayMs, firstMs }: { delayMs: number; firstMs: number },
  ): Promise<number> {
    const port = await freePort();
    let isFirst = true;
    const proxy = createServer((client) => {
      const wait = isFirst ? firstMs : 0;
      isFirst = false;
      const service = connect(to.port, to.host);
      for (const socket of [client, service]) socket.on("error", () => client.destroy());
      client.pause();
      setTimeout(() => {
        client.pipe(service);
      }, wait);
      service.on("data", (chunk) => setTimeout(() => client.write(chunk), delayMs));
      service.on("close", () => setTimeout(() => client.destroy(), delayMs));
    });
    this.#proxies.push(proxy);
    await new Promise<void>((resolve) => {
      proxy.listen(port, to.host, resolve);
    });
    return port;
  }

  override dispose(): void {
    for (const proxy of this.#proxies) proxy.close();
    super.dispose();
  }
}
