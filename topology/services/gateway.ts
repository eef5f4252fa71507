/** The gateway: HAProxy on each server whose processes use PostgreSQL or Redis. They reach both through it, by names that never change. */
import { runsOwnDatabase } from "../../config/own-database.ts";
import type { Settings } from "../../config/schema.ts";
import { coreOf, isLocal, placesFor, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { imageKinds } from "./image.ts";

/** Its name in the container network of every server. */
export const gatewayHost = "gateway";

/** Its ports in the container network; none is published, so that only the containers beside it reach it. */
export const gatewayPorts = {
  /** Redis, in plain text: the gateway speaks TLS to the server. */
  ...{ cache: 6379, broker: 6380 },
  /** PostgreSQL, whose clients speak TLS to the server through the gateway: for the app, for reads, and the primary itself. */
  ...{ database: 5432, reads: 5433, direct: 5434 },
  /** The replicas themselves, for a pooler of reads; only with one. */
  replicas: 5435,
} as const;

export type GatewayPort = keyof typeof gatewayPorts;

/** Where processes beside a gateway reach a port of it. */
export const gatewayAddress = (port: GatewayPort): string => `${gatewayHost}:${gatewayPorts[port]}`;

/** Whether a stack has gateways: an external database (unless data can be moved there and back) or Redis is reached at its own address. */
export const hasGateway = ({ hosting, gateway, database, cache }: Settings): boolean =>
  hosting !== "local" && gateway.enabled && (runsOwnDatabase(database) || cache.mode === "provision");

export const gateway: Definition<BaseService<"gateway">> = {
  images: () => ["haproxy"],
  ports: gatewayPorts,
  callers: imageKinds,
  movesTo: ["app", "worker"],
  keeps: "nothing",
  runs: "always",
  lossEffect: undefined,
  memorySettings: () => [],
  // Every query and every task passes through it.
  cpuShares: 2048,
  confinement: { networks: ["data"], capabilities: [], writable: [], memoryFolders: {}, processes: 256 },
  commands: () => ({}),
  probe: () => ({ kind: "gateway" }),
  plan(planning) {
    if (isLocal(planning) || !hasGateway(planning.settings)) return [];
    // The release runs on the core server.
    const places = [coreOf(planning), ...placesFor(planning, "app"), ...placesFor(planning, "worker")];
    return [...new Map(places.map((at) => [at.name, at])).values()].map((at) =>
      serviceAt(planning, { kind: "gateway", at, memoryMb: 192 }),
    );
  },
};
