/** What runs the platform's own image: the release before all else, the apps and the workers of each machine. */
import type * as pulumi from "@pulumi/pulumi";
import { partName } from "../topology/naming.ts";
import { byServer, type ServiceKind, servicesOf } from "../topology/types.ts";
import { AppTier } from "./app-tier/app-tier.ts";
import { appEnvironment } from "./app-tier/environment.ts";
import { Release } from "./app-tier/release.ts";
import { type BackingServicesArgs, type CacheParts, type DatabaseParts } from "./backing-services.ts";
import { createPassword } from "./password.ts";
import { peerRulesOf, type Runtimes } from "./runtimes.ts";
import { type Storage, uploadsOf } from "./storage/storage.ts";
import { WorkerTier } from "./worker-tier/worker-tier.ts";

export interface TiersArgs extends BackingServicesArgs {
  readonly places: Runtimes;
  readonly storage: Storage;
  readonly database: DatabaseParts;
  readonly cache: CacheParts;
  /** What Flower asks for. @default - nothing */
  readonly flowerPassword: pulumi.Output<string> | undefined;
}

/** Makes them. @param parent the component that they belong to. @returns the apps of each machine, by its name */
export function createTiers(args: TiersArgs, parent: pulumi.Resource): ReadonlyMap<string, AppTier> {
  const { settings, topology, secret, places, storage, database, cache, flowerPassword } = args;
  const of = (kind: ServiceKind) => servicesOf(topology, kind);
  const workers = [...of("worker"), ...of("beat"), ...of("flower")];
  const apps = of("app");
  if (workers.length + apps.length === 0) return new Map();

  const secretKey = createPassword("secret-key", 48, { parent });
  const { replicaUrl } = database;
  const connections = {
    ...{ databaseUrl: database.url, ...(replicaUrl && { databaseReplicaUrl: replicaUrl }) },
    ...{ ...cache.urls, secretKey },
  };
  const environment = appEnvironment(settings, connections, storage.environment, secret);
  const common = { environment, sideBySide: topology.servers.length > 0, ...uploadsOf(storage) };

  const backing = [...database.resources, ...cache.resources, ...peerRulesOf(places)];
  const { image, skipMigrationsFor, uvicornWorkers, memoryMb } = settings.app;
  const migrate = image === undefined || image !== skipMigrationsFor;
  const releases = of("release").map((service) => {
    const releaseArgs = { place: places.of(service), service, environment, migrate };
    return new Release("release", releaseArgs, { parent, dependsOn: backing });
  });
  const opts = { parent, dependsOn: [...backing, ...releases] };
  for (const { server, first, services } of byServer(workers)) {
    const own = {
      ...{ ...common, place: places.of(first), services, memoryMb: settings.workers.memoryMb },
      ...(flowerPassword && { flowerPassword }),
    };
    new WorkerTier(partName("workers", server), own, opts);
  }
  return new Map(
    byServer(apps).map(({ server, first, services }) => {
      const own = { ...common, place: places.of(first), services, uvicornWorkers, memoryMb };
      return [server, new AppTier(partName("app", server), own, opts)];
    }),
  );
}
