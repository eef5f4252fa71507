import * as pulumi from "@pulumi/pulumi";
import { cloudflareRanges } from "../config/cloudflare-ranges.ts";
import { type Settings } from "../config/schema.ts";
import { endpointsOf } from "../topology/access.ts";
import { type BuiltImages } from "../topology/images.ts";
import { type Service, type ServiceKind, servicesOf } from "../topology/types.ts";
import { accessOf } from "./access.ts";
import { AppTier } from "./app-tier/app-tier.ts";
import { appEnvironment } from "./app-tier/environment.ts";
import { Release } from "./app-tier/release.ts";
import {
  type BackingServicesArgs,
  type CacheParts,
  createCache,
  createDatabase,
  type DatabaseParts,
} from "./backing-services.ts";
import { Docs } from "./docs/docs.ts";
import { CloudflareZone } from "./edge-proxy/cloudflare-zone.ts";
import { AcmeCertificate, AcmeClient, type AcmeArgs } from "./edge-proxy/acme-certificate.ts";
import { type Certificate, configFile, EdgeProxy } from "./edge-proxy/edge-proxy.ts";
import { SelfSignedCertificate } from "./edge-proxy/self-signed-certificate.ts";
import { NotBuiltError } from "./not-built.ts";
import { createPassword } from "./password.ts";
import { createPlaces, type Places } from "./places.ts";
import { Storage } from "./storage/storage.ts";
import { WorkerTier } from "./worker-tier/worker-tier.ts";

export interface PlatformArgs extends BackingServicesArgs {
  /** References of the images that are built from this repository. */
  readonly builtImages: BuiltImages;
}

/** Phases whose servers this version brings up. */
const builtPhases: readonly Settings["phase"][] = ["development", "mvp"];

/** Whether this version brings the phase up. */
export const isBuilt = (phase: Settings["phase"]): boolean => builtPhases.includes(phase);

/** The whole of Orion in one stack: the components of its topology, connected. */
export class Platform extends pulumi.ComponentResource {
  /** Where each service is reached from this machine, by the service's name. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** `postgresql://` URL from inside the container network; a secret. */
  readonly databaseUrl: pulumi.Output<string>;
  /** How each server is reached from this machine: the arguments of `ssh`, by the server's name. */
  readonly ssh: Readonly<Record<string, pulumi.Output<string[]>>>;
  /** Command lines that reach each server and each service, by what they are for. */
  readonly access: ReturnType<typeof accessOf>;
  /** What Flower asks for, beside its user `orion`; a secret. Undefined in development. */
  readonly flowerPassword: pulumi.Output<string> | undefined;

  readonly #args: PlatformArgs;
  readonly #hasServers: boolean;

  constructor(name: string, args: PlatformArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:index:Platform", name, {}, opts);
    const { settings, topology } = args;
    this.#args = args;
    this.#hasServers = topology.servers.length > 0;
    if (!isBuilt(settings.phase)) throw new NotBuiltError(`Phase ${settings.phase} on real servers`);

    const places = createPlaces(args, this);
    const storage = this.#createStorage(places);
    const database = createDatabase(args, places, storage, this);
    const cache = createCache(args, places, this);
    this.flowerPassword = this.#createFlowerPassword();
    if (cache) this.#createTiers(places, storage, database, cache);
    this.#createDocs(places);

    this.databaseUrl = database.url;
    this.endpoints = endpointsOf(topology);
    this.ssh = Object.fromEntries(places.ssh);
    this.access = accessOf(topology, this.ssh);
    this.registerOutputs({ endpoints: this.endpoints });
  }

  #services(kind: ServiceKind): readonly Service[] {
    return servicesOf(this.#args.topology, kind);
  }

  #createStorage(places: Places): Storage {
    const { domain, storage, cloudflare, protection } = this.#args.settings;
    if (storage.backend === "local") {
      const [home] = [...this.#services("app"), ...this.#services("worker"), ...this.#args.topology.services];
      if (!home) throw new Error("a plan has at least one service");
      return new Storage("storage", { backend: "local", place: places.of(home), protection }, { parent: this });
    }
    const { bucket, endpoint, customDomain } = storage;
    const { accountId, zone } = cloudflare;
    if (bucket === undefined || accountId === undefined || endpoint === undefined) {
      throw new Error("config/parse.ts asks for them with r2");
    }
    const args = {
      ...{ bucket, accountId, endpoint, protection },
      ...(domain !== undefined && { domain }),
      ...(customDomain !== undefined && zone !== undefined && { custom: { domain: customDomain, zone } }),
    };
    return new Storage("storage", { backend: "r2", ...args }, { parent: this });
  }

  /** What runs the platform's own image, and the edge before it. */
  #createTiers(places: Places, storage: Storage, database: DatabaseParts, cache: CacheParts): void {
    const { settings, secret } = this.#args;
    const workers = [...this.#services("worker"), ...this.#services("beat"), ...this.#services("flower")];
    const apps = this.#services("app");
    if (workers.length + apps.length === 0) return;

    const secretKey = createPassword("secret-key", 48, { parent: this });
    const connections = { databaseUrl: database.url, ...cache.urls, secretKey };
    const environment = appEnvironment(settings, connections, storage.environment, secret);
    const common = { environment, sideBySide: this.#hasServers, ...uploadsOf(storage) };

    const backing = [...database.resources, ...cache.resources];
    const { image, skipMigrationsFor } = settings.app;
    const migrate = image === undefined || image !== skipMigrationsFor;
    const releases = this.#services("release").map((service) => {
      const args = { place: places.of(service), service, environment, migrate };
      return new Release("release", args, { parent: this, dependsOn: backing });
    });
    const opts = { parent: this, dependsOn: [...backing, ...releases] };
    const [worker] = workers;
    if (worker) {
      const { flowerPassword } = this;
      const args = {
        ...common,
        place: places.of(worker),
        services: workers,
        memoryMb: settings.workers.memoryMb,
        ...(flowerPassword && { flowerPassword }),
      };
      new WorkerTier("workers", args, opts);
    }
    const [first] = apps;
    if (first) {
      const { uvicornWorkers, memoryMb } = settings.app;
      const args = { ...common, place: places.of(first), services: apps, uvicornWorkers, memoryMb };
      this.#createEdge(places, storage, new AppTier("app", args, opts));
    }
  }

  /** In development Flower is on this machine's loopback; on a server it is behind SSH, and behind a password as well. */
  #createFlowerPassword(): pulumi.Output<string> | undefined {
    const isAsked = this.#hasServers && this.#services("flower").length > 0;
    return isAsked ? createPassword("flower-password", 24, { parent: this }) : undefined;
  }

  #createEdge(places: Places, storage: Storage, app: AppTier): void {
    const { edge, domain, cloudflare } = this.#args.settings;
    const zone = this.#createZone(places);
    const certificate = this.#createCertificate(zone);
    for (const service of this.#services("edge")) {
      const acme = certificate === "acme" ? this.#acmeArgs(places, service) : undefined;
      const client = acme ? [new AcmeClient("edge-acme", acme, { parent: this })] : [];
      const args = {
        place: places.of(service),
        service,
        app: app.alias,
        bodyLimitMb: edge.bodyLimitMb,
        trustedProxies: cloudflare.enabled ? [...cloudflareRanges.ipv4, ...cloudflareRanges.ipv6] : [],
        ...(certificate && { certificate }),
        ...(domain !== undefined && { hostname: domain }),
        ...uploadsOf(storage),
      };
      const proxy = new EdgeProxy("edge", args, { parent: this, dependsOn: [app, ...client] });
      if (acme)
        new AcmeCertificate("edge-certificate", acme, { parent: this, dependsOn: [proxy, ...(zone ? [zone] : [])] });
    }
  }

  #acmeArgs(places: Places, service: Service): AcmeArgs {
    const { edge, domain } = this.#args.settings;
    if (domain === undefined) throw new Error("config/parse.ts asks for a domain in phases with servers");
    const container = { container: service.container, config: configFile };
    return { place: places.of(service), hostname: domain, ...edge.acme, edge: container };
  }

  #createZone({ addresses }: Places): CloudflareZone | undefined {
    const { edge, domain, cloudflare } = this.#args.settings;
    const { enabled, plan, zone } = cloudflare;
    if (!enabled || domain === undefined || zone === undefined) return undefined;
    const origins = [...addresses].map(([name, address]) => ({ name, address }));
    const args = { zone, domain, plan, origins, certificate: edge.tls === "cloudflare-origin-ca" };
    return new CloudflareZone("cloudflare", args, { parent: this });
  }

  #createCertificate(zone: CloudflareZone | undefined): Certificate | "acme" | undefined {
    const { edge, domain } = this.#args.settings;
    switch (edge.tls) {
      case "none":
        return undefined;
      case "acme":
        return "acme";
      case "cloudflare-origin-ca":
        return zone?.certificate;
      case "self-signed":
        return new SelfSignedCertificate("edge-tls", { hostname: domain ?? "localhost" }, { parent: this });
    }
  }

  #createDocs(places: Places): void {
    for (const service of this.#services("docs"))
      new Docs("docs", { place: places.of(service), service }, { parent: this });
  }
}

const uploadsOf = (storage: Storage) => (storage.uploads === undefined ? {} : { uploads: storage.uploads });
