/**
 * A rehearsed production stack whose PostgreSQL and Redis are a provider's: on the cloud's Internet, over TLS with an authority of the
 * provider's own, which the app's image has in a file and the URLs name.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { rehearsalFolder } from "../rehearsal/cloud/settings.ts";
import { RehearsalCloud } from "./cloud.ts";
import { buildImage } from "./docker-image.ts";
import { onInternet, providerZone } from "./lab-place.ts";
import { ManagedLab } from "./managed-lab.ts";
import { RehearsedPlatform } from "./platform.ts";
import { sampleImage } from "./redis-lab.ts";
import { freePorts, type Ran, Sandbox, succeed } from "./sandbox.ts";

/** Where the app's image has the certificate of the provider's authority. */
const authorityInImage = "/etc/provider-ca.crt";
const stack = "prod";
const stackFileSchema = z.looseObject({ config: z.record(z.string(), z.unknown()) });

export type ExternalUrls = Readonly<Record<"databaseUrl" | "redisUrl" | "brokerUrl", string>>;

export interface ExternalStackOptions {
  readonly name: string;
  readonly block: number;
  readonly port: number;
}

export class ExternalStack {
  readonly options: ExternalStackOptions;
  readonly sandbox: Sandbox;
  readonly cloud: RehearsalCloud;
  readonly platform: RehearsedPlatform;
  readonly #image: string;
  #lab: ManagedLab | undefined;

  private constructor(options: ExternalStackOptions, sandbox: Sandbox) {
    this.options = options;
    this.sandbox = sandbox;
    this.cloud = new RehearsalCloud(sandbox.root, { ...options, machines: "docker" });
    this.platform = new RehearsedPlatform(sandbox.root, this.cloud);
    this.#image = `registry.example.com/orion/${options.name}:1.0.0`;
  }

  /** Starts the cloud and the provider; of the stack there is only its file. */
  static async start(root: string, options: ExternalStackOptions): Promise<ExternalStack> {
    const made = new ExternalStack(options, new Sandbox(root, options.name, await freePorts()));
    try {
      const { block, port } = options;
      const zones = `ZONES=example.com,${providerZone}`;
      succeed(made.cloud.runMake("cloud-up", [`BLOCK=${block}`, `PORT=${port}`, zones]));
      made.#lab = new ManagedLab(`orion-${options.name}-provider`, onInternet(made.cloud));
      made.#buildImage();
      return made;
    } catch (error) {
      made.dispose();
      throw error;
    }
  }

  get lab(): ManagedLab {
    if (!this.#lab) throw new Error("the provider was not started");
    return this.#lab;
  }

  /** Folder of the rehearsal's Pulumi project. */
  get folder(): string {
    return rehearsalFolder(this.sandbox.root, this.options.name, stack);
  }

  /** A URL of a PostgreSQL of the lab, with which clients verify it. */
  readonly verified = (url: string): string => `${url}?sslmode=verify-full&sslrootcert=${authorityInImage}`;
  /** The same for a Redis. */
  readonly verifiedRedis = (url: string): string => `${url}/0?ssl_cert_reqs=required&ssl_ca_certs=${authorityInImage}`;

  /** The certificate of the provider's authority, in PEM. */
  get authority(): string {
    return readFileSync(this.lab.authority, "utf8");
  }

  /** Starts what fits: a PostgreSQL of which data can be moved, a cache and a broker. */
  async startServices(): Promise<ExternalUrls> {
    const { lab } = this;
    const postgres = await lab.startPostgres("pg", { settings: ["max_connections=120", "wal_level=logical"] });
    postgres.sql("ALTER ROLE app REPLICATION", "postgres");
    const evicting = ["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"];
    const keeping = ["--appendonly", "yes", "--maxmemory-policy", "noeviction"];
    return {
      databaseUrl: this.verified(postgres.url),
      redisUrl: this.verifiedRedis(await lab.startManagedRedis("cache", evicting)),
      brokerUrl: this.verifiedRedis(await lab.startManagedRedis("broker", keeping)),
    };
  }

  /** Makes the project's stack, with addresses that nobody has: those of production. */
  initialise(): void {
    succeed(this.pulumi("project", "stack", "init"));
    this.setSecrets("project", {
      databaseUrl: "postgresql://app:real@db.example.com/shop",
      redisUrl: "rediss://app:real@redis.example.com/0",
      brokerUrl: "rediss://app:real@redis.example.com/1",
    });
  }

  /** Changes keys of the project's file of the stack, which `make rehearse` copies. */
  configure(keys: Readonly<Record<string, Readonly<Record<string, unknown>>>>): void {
    const path = join(this.sandbox.root, `Pulumi.${stack}.yaml`);
    const file = stackFileSchema.parse(parse(readFileSync(path, "utf8")));
    for (const [key, values] of Object.entries({ ...keys, app: { ...keys["app"], image: this.#image } })) {
      const before = file.config[`orion:${key}`];
      file.config[`orion:${key}`] = { ...(typeof before === "object" ? before : {}), ...values };
    }
    writeFileSync(path, stringify(file));
  }

  /** Sets secrets of the project's stack, or of its rehearsal. */
  setSecrets(where: "project" | "rehearsal", urls: Partial<ExternalUrls>): void {
    for (const [key, url] of Object.entries(urls)) succeed(this.pulumi(where, "config", "set", "--secret", key, url));
  }

  pulumi(where: "project" | "rehearsal", ...args: string[]): Ran {
    const folder = where === "project" ? this.sandbox.root : this.folder;
    // That of a real stack, which its rehearsal does not see.
    return this.sandbox.run("npx", ["pulumi", "-C", folder, ...args, "--stack", stack], {
      PULUMI_CONFIG_PASSPHRASE: "a real stack's",
    });
  }

  /** `make rehearse`, which may fail. */
  rehearse(phase: string, ...variables: string[]): Ran {
    const { block, port } = this.options;
    return this.cloud.runMake("rehearse", [`PHASE=${phase}`, `BLOCK=${block}`, `PORT=${port}`, ...variables]);
  }

  /** A make command about the rehearsed stack. */
  make(target: string, ...variables: string[]): Ran {
    return this.cloud.runMake(target, ["REHEARSAL=1", ...variables]);
  }

  dispose(): void {
    // The cloud's containers and its networks go first of all: those of the provider are among them.
    this.cloud.dispose();
    this.#lab?.dispose();
    spawnSync("docker", ["image", "rm", "--force", this.#image]);
    this.sandbox.dispose();
  }

  /** The sample application with the certificate of the provider's authority. */
  #buildImage(): void {
    const text = `FROM ${sampleImage()}\nUSER root\nCOPY provider-ca.crt ${authorityInImage}\nUSER orion\n`;
    buildImage(this.#image, text, this.lab.folder);
  }
}
