/** Creates everything that runs the app's image: the release tasks, then the apps and the workers of each machine. */
import type * as pulumi from "@pulumi/pulumi";
import { serviceName } from "../topology/naming.ts";
import { poolOf } from "../topology/pools.ts";
import { hasGateway } from "../topology/services/gateway.ts";
import type { ImageKind } from "../topology/services/image.ts";
import { type CeleryKind, celeryKinds } from "../topology/services/worker.ts";
import { byServer, hasServers, servicesOf } from "../topology/topology.ts";
import { AppTier } from "./app-tier/app-tier.ts";
import { authorityMount, authorityVolume } from "./authority/authority.ts";
import { allowedHosts, appEnvironment, type AppEnvironment, brokerEnvironment } from "./app-tier/environment.ts";
import { Release } from "./app-tier/release.ts";
import type { Redis } from "./cache/redis.ts";
import type { RedisClient } from "./cache/users.ts";
import type { Context } from "./context.ts";
import type { Postgres } from "./database/postgres.ts";
import { pooledEnvironment } from "./database/postgres-tls.ts";
import { createPassword } from "./password.ts";
import { type Storage, uploadsOf } from "./storage/storage.ts";
import { WorkerTier } from "./worker-tier/worker-tier.ts";

export interface Backing {
  readonly storage: Storage;
  readonly postgres: Postgres;
  readonly redis: Redis;
  /** Through which they are reached; none without gateways. */
  readonly gateways: readonly pulumi.Resource[];
}

export interface Tiers {
  /** The apps of each machine, by its name. */
  readonly apps: ReadonlyMap<string, AppTier>;
  /** Apps and workers. */
  readonly all: readonly pulumi.Resource[];
  /** The password of Flower's user; a secret. Undefined where Flower has none. */
  readonly flowerPassword: ReturnType<typeof createPassword> | undefined;
  /** The token of the app's task API; a secret. Undefined without an app. */
  readonly taskApiToken: ReturnType<typeof createPassword> | undefined;
}

export function createTiers(context: Context, backing: Backing): Tiers {
  const { settings, topology, runtimes, authority, parent } = context;
  const { storage, postgres, redis, gateways } = backing;
  const workers = celeryKinds.flatMap((kind) => servicesOf(topology, kind));
  const apps = servicesOf(topology, "app");
  if (workers.length + apps.length === 0)
    return { apps: new Map(), all: [], flowerPassword: undefined, taskApiToken: undefined };

  const environmentOn = environments(context, backing);
  const { image, skipMigrationsFor, uvicornWorkers, writable, user, startSeconds } = settings.app;
  const mounts = authority && { mounts: [authorityMount] };
  const runsAs = user === undefined ? {} : { user };
  const start = startSeconds === undefined ? {} : { startSeconds };
  const common = { sideBySide: hasServers(topology), writable, ...runsAs, ...start, ...uploadsOf(storage), ...mounts };
  const ready = [...postgres.ready, ...redis.ready, ...gateways, ...runtimes.peerRules, ...(authority?.ready ?? [])];
  const releases = servicesOf(topology, "release").map((service) => {
    const environment = environmentOn(service.server, "release");
    const migrate = image === undefined || image !== skipMigrationsFor;
    const volumes = authority && { volumes: [authorityVolume] };
    const args = {
      runtime: runtimes.of(service),
      service,
      environment,
      ...volumes,
      writable,
      ...runsAs,
      migrate,
    };
    return new Release("release", args, { parent, dependsOn: ready });
  });
  const flowerPassword = createFlowerPassword(context);
  const opts = { parent, dependsOn: [...ready, ...releases] };
  const taskApiToken = apps.length > 0 ? createPassword("task-api-token", 40, { parent }) : undefined;
  const appTiers = byServer(apps).map(({ server, first, services }) => {
    // The stack's own variables win.
    const environment = {
      ...{ ...allowedHosts(settings), ...environmentOn(server, "app") },
      ...(taskApiToken && { TASK_API_TOKEN: taskApiToken }),
    };
    const own = { runtime: runtimes.of(first), services, environment, uvicornWorkers };
    return [server, new AppTier(serviceName("app", server), { ...common, ...own }, opts)] as const;
  });
  // After the apps, which visitors wait for: a Docker Engine starts containers one after the other.
  const workerTiers = byServer(workers).map(({ server, first, services }) => {
    const environments = (process: CeleryKind) => environmentOn(server, process);
    const own = { runtime: runtimes.of(first), services, environments };
    const args = { ...common, ...own, ...(flowerPassword && { flowerPassword }) };
    return new WorkerTier(serviceName("worker", server), args, opts);
  });
  const all = [...workerTiers, ...appTiers.map(([, tier]) => tier)];
  return { apps: new Map(appTiers), all, flowerPassword, taskApiToken };
}

/** The user of Redis that each of them connects as. */
const redisClients: Readonly<Record<ImageKind, RedisClient>> = {
  ...{ app: "app", release: "app", worker: "worker", beat: "worker", flower: "flower" },
};

/** The environment of each kind of process of the platform's image, on each server. */
function environments(
  context: Context,
  { storage, postgres, redis }: Backing,
): (server: string, process: ImageKind) => AppEnvironment {
  const { settings, topology, secret, parent } = context;
  // Losing it logs every user out; in a local stack that does not matter.
  const protect = hasServers(topology) && settings.protection;
  const secretKey = createPassword("secret-key", 48, { parent, protect });
  const pool = poolOf(topology, settings);
  const needsOnlyBroker = (process: ImageKind) =>
    (process === "beat" || process === "flower") && settings.workers.beatAndFlower === "broker";
  return (server, process) => {
    const urls = redis.urls(server, redisClients[process]);
    const more = process === "flower" ? redis.flowerEnvironment : {};
    if (needsOnlyBroker(process)) return { ...brokerEnvironment(settings, urls), ...more };
    // A replica does not let the release in: it would be a password more, and of no use.
    const databaseReplicaUrl = process === "release" ? undefined : postgres.readUrl(server);
    const connections = {
      databaseUrl: process === "release" ? postgres.directUrl("migrator") : postgres.url(server),
      databaseDirectUrl: postgres.directUrl(process === "release" ? "migrator" : "app"),
      ...{ ...(databaseReplicaUrl && { databaseReplicaUrl }) },
      ...{ ...urls, secretKey, ...(pool && { pool }) },
    };
    const own = appEnvironment(settings, connections, storage.environment, secret);
    const verifying =
      process === "release"
        ? postgres.environment
        : { ...postgres.processEnvironment, ...(hasGateway(settings) && pooledEnvironment) };
    return { ...verifying, ...own, ...more };
  };
}

/** On a server Flower needs a password in addition to SSH; on this machine it listens on loopback without one. */
function createFlowerPassword({ topology, parent }: Context): Tiers["flowerPassword"] {
  const needsPassword = hasServers(topology) && servicesOf(topology, "flower").length > 0;
  return needsPassword ? createPassword("flower-password", 24, { parent }) : undefined;
}
