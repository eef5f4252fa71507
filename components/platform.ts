import * as pulumi from "@pulumi/pulumi";
import { type SecretKey, type Settings } from "../config/schema.ts";
import { type BuiltImages, imageReferences } from "../topology/images.ts";
import { type Service, type ServiceKind, servicesOf, type Topology } from "../topology/types.ts";
import { AppTier } from "./app-tier/app-tier.ts";
import { appEnvironment, type AppEnvironment, type Connections } from "./app-tier/environment.ts";
import { Release } from "./app-tier/release.ts";
import { Cache } from "./cache/cache.ts";
import { redisDatabases } from "./cache/redis-config.ts";
import { Database } from "./database/database.ts";
import { Docs } from "./docs/docs.ts";
import { EdgeProxy } from "./edge-proxy/edge-proxy.ts";
import { DockerPlace } from "./host/docker-place.ts";
import { NotBuiltError } from "./not-built.ts";
import { createPassword } from "./password.ts";
import { Storage } from "./storage/storage.ts";
import { WorkerTier } from "./worker-tier/worker-tier.ts";

export interface PlatformArgs {
  readonly settings: Settings;
  readonly topology: Topology;
  /** The stack's secrets by name; undefined for one that it does not set. */
  readonly secret: (key: SecretKey) => pulumi.Output<string> | undefined;
  /** References of the images that are built from this repository. */
  readonly builtImages: BuiltImages;
}

type RedisUrls = Pick<Connections, "redisUrl" | "brokerUrl" | "resultBackendUrl" | "flagsUrl">;

/** The whole of Orion in one stack: the components of its topology, connected. */
export class Platform extends pulumi.ComponentResource {
  /** Where each service is reached from this machine, by the service's name. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** `postgresql://` URL from inside the container network; a secret. */
  readonly databaseUrl: pulumi.Output<string>;

  readonly #args: PlatformArgs;

  constructor(name: string, args: PlatformArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:index:Platform", name, {}, opts);
    this.#args = args;
    if (args.settings.phase !== "development") throw new NotBuiltError(`Phase ${args.settings.phase} on real servers`);

    const place = this.#createPlace();
    const storage = new Storage("storage", { backend: "local", place }, { parent: this });
    this.databaseUrl = this.#createDatabases(place);
    const environment = this.#createEnvironment(storage, this.#createCache(place));
    const release = this.#createRelease(place, environment);
    const app = this.#createApp(place, environment, storage, release);
    this.#createWorkers(place, environment, storage, release);
    this.#createEdge(place, storage, app);
    this.#createDocs(place);

    this.endpoints = endpointsOf(args.topology);
    this.registerOutputs({ endpoints: this.endpoints });
  }

  #services(kind: ServiceKind): readonly Service[] {
    return servicesOf(this.#args.topology, kind);
  }

  #createPlace(): DockerPlace {
    const { settings, topology, builtImages } = this.#args;
    return new DockerPlace(
      "local",
      {
        naming: { stack: topology.stack, phase: topology.phase },
        dockerHost: settings.dockerHost,
        images: imageReferences(topology, settings, builtImages),
      },
      { parent: this },
    );
  }

  #createDatabases(place: DockerPlace): pulumi.Output<string> {
    const { memoryMb } = this.#args.settings.database;
    for (const service of this.#services("test-database")) {
      new Database("test-database", { place, service, memoryMb: 256, data: "memory" }, { parent: this });
    }
    const [service] = this.#services("database");
    if (!service) return this.#required("databaseUrl");
    return new Database("database", { place, service, memoryMb, data: "volume" }, { parent: this }).url;
  }

  #createCache(place: DockerPlace): RedisUrls | undefined {
    const { cache, services } = this.#args.settings;
    if (cache.mode === "external") {
      const redisUrl = this.#required("redisUrl");
      const brokerUrl = this.#required("brokerUrl");
      return { redisUrl, brokerUrl, resultBackendUrl: brokerUrl, flagsUrl: redisUrl };
    }
    const [service] = this.#services("cache");
    if (!service || !services.includes("cache")) return undefined;
    // Development has one Redis for everything; it must not evict, for the broker's sake.
    const redis = new Cache("cache", { place, service, use: "all", maxMemoryMb: cache.maxMemoryMb }, { parent: this });
    return {
      redisUrl: redis.url(redisDatabases.sessions),
      brokerUrl: redis.url(redisDatabases.broker),
      resultBackendUrl: redis.url(redisDatabases.results),
      flagsUrl: redis.url(redisDatabases.flags),
    };
  }

  #createEnvironment(storage: Storage, redis: RedisUrls | undefined): AppEnvironment | undefined {
    if (
      !redis ||
      this.#services("release").length + this.#services("flower").length + this.#services("beat").length === 0
    ) {
      return undefined;
    }
    const secretKey = createPassword("secret-key", 48, { parent: this, protect: true });
    return appEnvironment(
      this.#args.settings,
      { databaseUrl: this.databaseUrl, ...redis, secretKey },
      storage.environment,
      this.#args.secret,
    );
  }

  #createRelease(place: DockerPlace, environment: AppEnvironment | undefined): Release[] {
    if (!environment) return [];
    return this.#services("release").map(
      (service) => new Release("release", { place, service, environment }, { parent: this }),
    );
  }

  #createApp(
    place: DockerPlace,
    environment: AppEnvironment | undefined,
    storage: Storage,
    after: pulumi.Resource[],
  ): AppTier[] {
    const services = this.#services("app");
    if (!environment || services.length === 0) return [];
    const { uvicornWorkers, memoryMb } = this.#args.settings.app;
    return [
      new AppTier(
        "app",
        { place, services, environment, uvicornWorkers, memoryMb, ...uploadsOf(storage) },
        { parent: this, dependsOn: after },
      ),
    ];
  }

  #createWorkers(
    place: DockerPlace,
    environment: AppEnvironment | undefined,
    storage: Storage,
    after: pulumi.Resource[],
  ): void {
    const services = [...this.#services("worker"), ...this.#services("beat"), ...this.#services("flower")];
    if (!environment || services.length === 0) return;
    const { memoryMb } = this.#args.settings.workers;
    new WorkerTier(
      "workers",
      { place, services, environment, memoryMb, ...uploadsOf(storage) },
      { parent: this, dependsOn: after },
    );
  }

  #createEdge(place: DockerPlace, storage: Storage, after: pulumi.Resource[]): void {
    const { edge } = this.#args.settings;
    for (const service of this.#services("edge")) {
      new EdgeProxy("edge", { place, service, ...edge, ...uploadsOf(storage) }, { parent: this, dependsOn: after });
    }
  }

  #createDocs(place: DockerPlace): void {
    for (const service of this.#services("docs")) new Docs("docs", { place, service }, { parent: this });
  }

  /** A secret that the configuration was checked to have. */
  #required(key: SecretKey): pulumi.Output<string> {
    const value = this.#args.secret(key);
    if (!value)
      throw new pulumi.RunError(
        `orion:${key}: got nothing, allowed: a URL; set it with: pulumi config set --secret ${key}`,
      );
    return value;
  }
}

const uploadsOf = (storage: Storage) => (storage.uploads === undefined ? {} : { uploads: storage.uploads });

const schemes: Partial<Record<ServiceKind, string>> = {
  database: "postgresql",
  "test-database": "postgresql",
  cache: "redis",
};

function endpointsOf(topology: Topology): Record<string, string> {
  return Object.fromEntries(
    topology.services.flatMap(({ name, kind, published }) =>
      published.slice(0, 1).map(({ address, port }) => [name, `${schemes[kind] ?? "http"}://${address}:${port}`]),
    ),
  );
}
