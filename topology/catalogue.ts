/** Every kind of service that a stack can have, in the order in which plans list them. To add a kind, add its file and a line. */
import { app } from "./services/app.ts";
import { archive } from "./services/archive.ts";
import { backup } from "./services/backup.ts";
import { beat } from "./services/beat.ts";
import { brokerReplica } from "./services/broker-replica.ts";
import { broker } from "./services/broker.ts";
import { cacheReplica } from "./services/cache-replica.ts";
import { cache } from "./services/cache.ts";
import { database } from "./services/database.ts";
import { docs } from "./services/docs.ts";
import { edge } from "./services/edge.ts";
import { etcd } from "./services/etcd.ts";
import { exporter } from "./services/exporter.ts";
import { flower } from "./services/flower.ts";
import { gateway } from "./services/gateway.ts";
import { monitoring } from "./services/monitoring.ts";
import { pgbouncer } from "./services/pgbouncer.ts";
import { release } from "./services/release.ts";
import { replicaFiles } from "./services/replica-files.ts";
import { replicaHealth } from "./services/replica-health.ts";
import { replica } from "./services/replica.ts";
import { sentinel } from "./services/sentinel.ts";
import { testDatabase } from "./services/test-database.ts";
import { worker } from "./services/worker.ts";
import type { Definition, ServiceKind } from "./service.ts";

export const catalogue = {
  database,
  "test-database": testDatabase,
  replica,
  "replica-health": replicaHealth,
  "replica-files": replicaFiles,
  etcd,
  backup,
  archive,
  cache,
  broker,
  "cache-replica": cacheReplica,
  "broker-replica": brokerReplica,
  sentinel,
  gateway,
  release,
  app,
  edge,
  worker,
  beat,
  flower,
  docs,
  pgbouncer,
  monitoring,
  exporter,
};

/** The definition of a kind of service. */
export const definitionOf = (kind: ServiceKind): Definition => catalogue[kind];

/** What the volumes of a kind hold, as its definition says; undefined for a name that is no kind. */
export const keptBy = (kind: string): Definition["keeps"] | undefined =>
  Object.entries(catalogue).find(([name]) => name === kind)?.[1].keeps;

/** Whether containers of a kind hold data that only a backup can restore. */
export const holdsData = (kind: string): boolean => keptBy(kind) === "data";
