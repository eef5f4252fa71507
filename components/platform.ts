import * as pulumi from "@pulumi/pulumi";
import { type SecretKey, type Settings } from "../config/schema.ts";
import { type BuiltImages, imageReferences } from "../topology/images.ts";
import { type Service, type ServiceKind, servicesOf, type Topology } from "../topology/types.ts";
import { AppTier } from "./app-tier/app-tier.ts";
import { appEnvironment, type Connections } from "./app-tier/environment.ts";
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

/** A part that others use: how it is reached, and what must be there first; nothing of ours when it is external. */
interface DatabaseParts {
  readonly url: pulumi.Output<string>;
  readonly resources: pulumi.Resource[];
}
interface CacheParts {
  readonly urls: Pick<Connections, "redisUrl" | "brokerUrl" | "resultBackendUrl" | "flagsUrl">;
  readonly resources: pulumi.Resource[];
}

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
    const database = this.#createDatabase(place);
    this.#createTestDatabase(place);
    const cache = this.#createCache(place);
    if (cache) this.#createTiers(place, storage, database, cache);
    this.#createDocs(place);

    this.databaseUrl = database.url;
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

  #createDatabase(place: DockerPlace): DatabaseParts {
    const [service] = this.#services("database");
    if (!service) return { url: this.#required("databaseUrl"), resources: [] };
    const { memoryMb } = this.#args.settings.database;
    const database = new Database("database", { place, service, memoryMb, data: "volume" }, { parent: this });
    return { url: database.url, resources: [database] };
  }

  #createTestDatabase(place: DockerPlace): void {
    for (const service of this.#services("test-database")) {
      new Database("test-database", { place, service, memoryMb: 256, data: "memory" }, { parent: this });
    }
  }

  #createCache(place: DockerPlace): CacheParts | undefined {
    const { cache } = this.#args.settings;
    if (cache.mode === "external") {
      const redisUrl = this.#required("redisUrl");
      const brokerUrl = this.#required("brokerUrl");
      return { urls: { redisUrl, brokerUrl, resultBackendUrl: brokerUrl, flagsUrl: redisUrl }, resources: [] };
    }
    const [service] = this.#services("cache");
    if (!service) return undefined;
    // Development has one Redis for everything; it must not evict, for the broker's sake.
    const redis = new Cache("cache", { place, service, use: "all", maxMemoryMb: cache.maxMemoryMb }, { parent: this });
    const urls = {
      redisUrl: redis.url(redisDatabases.sessions),
      brokerUrl: redis.url(redisDatabases.broker),
      resultBackendUrl: redis.url(redisDatabases.results),
      flagsUrl: redis.url(redisDatabases.flags),
    };
    return { urls, resources: [redis] };
  }

  /** What runs the platform's own image, and the edge before it. */
  #createTiers(place: DockerPlace, storage: Storage, database: DatabaseParts, cache: CacheParts): void {
    const { settings, secret } = this.#args;
    const workers = [...this.#services("worker"), ...this.#services("beat"), ...this.#services("flower")];
    const apps = this.#services("app");
    if (workers.length + apps.length === 0) return;

    const secretKey = createPassword("secret-key", 48, { parent: this });
    const connections = { databaseUrl: database.url, ...cache.urls, secretKey };
    const environment = appEnvironment(settings, connections, storage.environment, secret);
    const common = { place, environment, ...uploadsOf(storage) };

    const backing = [...database.resources, ...cache.resources];
    const releases = this.#services("release").map(
      (service) => new Release("release", { place, service, environment }, { parent: this, dependsOn: backing }),
    );
    const opts = { parent: this, dependsOn: [...backing, ...releases] };
    if (workers.length > 0) {
      new WorkerTier("workers", { ...common, services: workers, memoryMb: settings.workers.memoryMb }, opts);
    }
    if (apps.length > 0) {
      const { uvicornWorkers, memoryMb } = settings.app;
      const app = new AppTier("app", { ...common, services: apps, uvicornWorkers, memoryMb }, opts);
      this.#createEdge(place, storage, app);
    }
  }

  #createEdge(place: DockerPlace, storage: Storage, app: AppTier): void {
    for (const service of this.#services("edge")) {
      const args = { place, service, ...this.#args.settings.edge, ...uploadsOf(storage) };
      new EdgeProxy("edge", args, { parent: this, dependsOn: app });
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
