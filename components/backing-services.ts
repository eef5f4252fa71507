/** What the app and its workers build on: PostgreSQL with its backups, and Redis; each ours or somebody else's. */
import * as pulumi from "@pulumi/pulumi";
import { redisDatabases } from "../common/app-contract.ts";
import { dataMount } from "../common/server-contract.ts";
import { type SecretKey, type Settings } from "../config/schema.ts";
import { type Service, servicesOf, type Topology } from "../topology/types.ts";
import { type Connections } from "./app-tier/environment.ts";
import { Cache } from "./cache/cache.ts";
import { type RedisUse } from "./cache/redis-config.ts";
import { Backup } from "./database/backup.ts";
import { Database, PromotedDatabase } from "./database/database.ts";
import { Replica, type ReplicaArgs } from "./database/replica.ts";
import { peerRulesOf, type Runtimes } from "./runtimes.ts";
import { type Storage } from "./storage/storage.ts";

export interface BackingServicesArgs {
  readonly settings: Settings;
  readonly topology: Topology;
  /** The stack's secrets by name; undefined for one that it does not set. */
  readonly secret: (key: SecretKey) => pulumi.Output<string> | undefined;
}

/** A part that others use: how it is reached, and what must be there first; nothing of ours when it is external. */
export interface DatabaseParts {
  readonly url: pulumi.Output<string>;
  /** To read from, what may be a moment old. @default - there is no replica */
  readonly replicaUrl?: pulumi.Output<string>;
  readonly resources: pulumi.Resource[];
}
export interface CacheParts {
  readonly urls: Pick<Connections, "redisUrl" | "brokerUrl" | "resultBackendUrl" | "flagsUrl">;
  readonly resources: pulumi.Resource[];
}

/** Makes the database, its backups where there is a place for them, and the one for tests. @param parent the component that they belong to */
export function createDatabase(
  args: BackingServicesArgs,
  places: Runtimes,
  { backups: store }: Storage,
  parent: pulumi.Resource,
): DatabaseParts {
  const { settings, topology } = args;
  const database = createMainDatabase(args, places, parent);
  for (const service of servicesOf(topology, "backup")) {
    if (!store) throw new Error("the plan has backups, but no place for them");
    const external = settings.database.mode === "external";
    const databaseUrl = database.replicaUrl ?? database.url;
    const backed = { place: places.of(service), store, databaseUrl, external };
    new Backup("backup", backed, { parent, dependsOn: database.resources });
  }
  for (const service of servicesOf(topology, "test-database")) {
    const forTests = { place: places.of(service), service, memoryMb: 256, data: { kind: "memory" } } as const;
    new Database("test-database", forTests, { parent });
  }
  return database;
}

function createMainDatabase(args: BackingServicesArgs, places: Runtimes, parent: pulumi.Resource): DatabaseParts {
  const { settings, topology } = args;
  const [service] = servicesOf(topology, "database");
  if (!service) return { url: required(args, "databaseUrl"), resources: [] };
  const primary =
    service.follows === undefined
      ? createPrimary(service, args, places, parent)
      : createPromoted(service, args, places, parent);
  const opts = { parent, dependsOn: [...primary.resources, ...peerRulesOf(places)] };
  const from = { password: primary.password, primary: { place: places.of(service), service } };
  const replicas = servicesOf(topology, "replica").map(
    (each) => new Replica(each.name, replicaArgs(each, from, settings, places), opts),
  );
  const [replica] = replicas;
  return {
    url: primary.url,
    ...(replica && { replicaUrl: replica.url }),
    resources: [...primary.resources, ...replicas],
  };
}

/** The server that the platform reads from and writes to. */
interface Primary {
  readonly url: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;
  readonly resources: pulumi.Resource[];
}

function createPrimary(
  service: Service,
  { settings, topology }: BackingServicesArgs,
  places: Runtimes,
  parent: pulumi.Resource,
): Primary {
  const { database: own, protection } = settings;
  const common = { place: places.of(service), service, memoryMb: own.memoryMb, protection };
  const database = new Database(
    "database",
    hasServers(topology)
      ? { ...common, data: { kind: "directory", path: dataPath }, tls: true, ...addressOf(service) }
      : { ...common, data: { kind: "volume" } },
    { parent },
  );
  return { url: database.url, password: database.password, resources: [database] };
}

/** A replica that was put in the place of its primary, and the password that all of them have had. */
function createPromoted(
  service: Service,
  { settings }: BackingServicesArgs,
  places: Runtimes,
  parent: pulumi.Resource,
): Primary {
  const database = new PromotedDatabase("database", settings, { parent });
  const { password } = database;
  const server = new Replica(service.name, replicaArgs(service, { password }, settings, places), { parent });
  return { url: server.url, password, resources: [database, server] };
}

function replicaArgs(
  service: Service,
  { password, primary }: { readonly password: pulumi.Output<string>; readonly primary?: ReplicaArgs["primary"] },
  { database: { memoryMb } }: Settings,
  places: Runtimes,
): ReplicaArgs {
  if (service.follows === undefined) throw new Error(`${service.name} is a replica of nobody`);
  return {
    ...{ place: places.of(service), service, ...addressOf(service), path: dataPath, memoryMb },
    ...{ databasePassword: password, source: service.follows, ...(primary && { primary }) },
  };
}

/** Makes the cache and the broker; undefined when the stack has none. @param parent the component that they belong to */
export function createCache(
  args: BackingServicesArgs,
  places: Runtimes,
  parent: pulumi.Resource,
): CacheParts | undefined {
  const { topology } = args;
  const { cache } = args.settings;
  if (cache.mode === "external") {
    const redisUrl = required(args, "redisUrl");
    const brokerUrl = required(args, "brokerUrl");
    return { urls: { redisUrl, brokerUrl, resultBackendUrl: brokerUrl, flagsUrl: redisUrl }, resources: [] };
  }
  const redis = (name: string, service: Service, use: RedisUse, maxMemoryMb: number) => {
    const reached = hasServers(topology) ? addressOf(service) : {};
    return new Cache(name, { place: places.of(service), service, use, maxMemoryMb, ...reached }, { parent });
  };
  const [service] = servicesOf(topology, "cache");
  if (!service) return undefined;
  const [brokerService] = servicesOf(topology, "broker");
  // Development has one Redis for everything; it must not evict, for the broker's sake.
  const main = redis("cache", service, brokerService ? "cache" : "all", cache.maxMemoryMb);
  const broker = brokerService ? redis("broker", brokerService, "broker", cache.brokerMaxMemoryMb) : main;
  const urls = {
    redisUrl: main.url(redisDatabases.sessions),
    brokerUrl: broker.url(redisDatabases.broker),
    resultBackendUrl: broker.url(redisDatabases.results),
    flagsUrl: main.url(redisDatabases.flags),
  };
  return { urls, resources: [main, ...(broker === main ? [] : [broker])] };
}

/** Where the data of a PostgreSQL server is on its machine. */
const dataPath = `${dataMount}/postgres`;

const hasServers = ({ servers }: Topology): boolean => servers.length > 0;

/** Where a service is reached from any server: its published private address. */
function addressOf({ name, published: [at] }: Service): { address: string } {
  if (!at) throw new Error(`${name} publishes no port`);
  return { address: `${at.address}:${at.port}` };
}

/** A secret that the configuration was checked to have. */
function required({ secret }: BackingServicesArgs, key: SecretKey): pulumi.Output<string> {
  const value = secret(key);
  if (value) return value;
  throw new pulumi.RunError(
    `orion:${key}: got nothing, allowed: a URL; set it with: pulumi config set --secret ${key}`,
  );
}
