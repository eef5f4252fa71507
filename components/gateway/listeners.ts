/** What a gateway listens on, and the servers behind each port. Pure. */
import type { Settings } from "../../config/schema.ts";
import { poolerPorts } from "../../topology/services/pgbouncer.ts";
import { replicaHealthPorts } from "../../topology/services/replica-health.ts";
import type { Service } from "../../topology/service.ts";
import { servicesOf, type Topology } from "../../topology/topology.ts";
import { addressOf, publishedAddress } from "../published-address.ts";
import { replicaPath } from "../database/replica-health-script.ts";
import type { GatewayListener, GatewayServer, HttpCheck } from "./haproxy-config.ts";

/**
 * The ports of the gateway of a server. An external database or Redis has none.
 *
 * @param server the gateway's server; connections go through the poolers there, if the plan has any
 */
export const gatewayListeners = (topology: Topology, settings: Settings, server: string): GatewayListener[] => [
  ...servicesOf(topology, "cache").map((cache) => redisListener(topology, "cache", cache)),
  ...servicesOf(topology, "broker").map((broker) => redisListener(topology, "broker", broker)),
  ...servicesOf(topology, "database").flatMap((primary) => postgresListeners(topology, settings, server, primary)),
];

const serverOf = (service: Service): GatewayServer => ({ name: service.name, address: publishedAddress(service) });

/** A Redis; with Sentinels all servers of its group, of which the Sentinels choose the master. */
function redisListener(topology: Topology, port: "cache" | "broker", first: Service): GatewayListener {
  const servers = [first, ...servicesOf(topology, `${port}-replica`)].map((service) => ({
    ...{ ...serverOf(service), certificateName: service.name },
  }));
  const sentinels = servicesOf(topology, "sentinel").map((one) => ({ name: one.name, address: addressOf(one) }));
  return { ...{ port, check: "redis", servers }, ...(sentinels.length > 0 && { sentinels }) };
}

/** Asks a replica's health service whether the replica's lag is below the limit. */
const follows = ({ gateway }: Settings): HttpCheck => ({
  port: replicaHealthPorts.http,
  path: replicaPath(gateway.maxReplicaLagSeconds),
});

/** PostgreSQL's clients start TLS inside its protocol and verify the server themselves, so the gateway passes it on. */
function postgresListeners(
  topology: Topology,
  settings: Settings,
  server: string,
  service: Service,
): GatewayListener[] {
  const check = "connection";
  const primary = [serverOf(service)];
  const replicas = servicesOf(topology, "replica").map(serverOf);
  // Reads go to the primary only while every replica is down or lags too far behind.
  const readable =
    replicas.length > 0
      ? ({ check: follows(settings), servers: replicas, fallback: serverOf(service) } as const)
      : ({ check, servers: primary } as const);
  const poolers = servicesOf(topology, "pgbouncer").filter((pooler) => pooler.server === server);
  const pooled = (reads: boolean): GatewayServer[] =>
    poolers
      .filter((pooler) => pooler.reads === reads)
      .map(({ name }) => ({ name, address: `${name}:${poolerPorts.postgres}` }));
  const [toPrimary, toReplicas] = [pooled(false), pooled(true)];
  const reads = () => {
    if (toReplicas.length > 0) return { check, servers: toReplicas } as const;
    // Reads go where the data is, too.
    return settings.database.movable && toPrimary.length > 0 ? ({ check, servers: toPrimary } as const) : readable;
  };
  return [
    { port: "database", check, servers: toPrimary.length > 0 ? toPrimary : primary },
    { port: "reads", ...reads() },
    { port: "direct", check, servers: primary },
    ...(toReplicas.length > 0 ? [{ port: "replicas", ...readable } as const] : []),
  ];
}
