/** What the gateways of a plan listen on, and the servers behind each port. Pure. */
import type { Service } from "../../topology/service.ts";
import { servicesOf, type Topology } from "../../topology/topology.ts";
import { publishedAddress } from "../published-address.ts";
import { addressOf } from "../cache/redis-group.ts";
import type { GatewayListener, GatewayServer } from "./haproxy-config.ts";

/** The same on every server of the plan. An external database or Redis has no port. */
export const gatewayListeners = (topology: Topology): GatewayListener[] => [
  ...servicesOf(topology, "cache").map((cache) => redisListener(topology, "cache", cache)),
  ...servicesOf(topology, "broker").map((broker) => redisListener(topology, "broker", broker)),
  ...servicesOf(topology, "database").flatMap((primary) => postgresListeners(topology, primary)),
];

const serverOf = (service: Service): GatewayServer => ({ name: service.name, address: publishedAddress(service) });

/** A Redis, or with Sentinels those of a group: which one of them is the master, the Sentinels say. */
function redisListener(topology: Topology, port: "cache" | "broker", first: Service): GatewayListener {
  const servers = [first, ...servicesOf(topology, `${port}-replica`)].map((service) => ({
    ...{ ...serverOf(service), certificateName: service.name },
  }));
  const sentinels = servicesOf(topology, "sentinel").map((one) => ({ name: one.name, address: addressOf(one) }));
  return { ...{ port, check: "redis", servers }, ...(sentinels.length > 0 && { sentinels }) };
}

/** PostgreSQL's clients start TLS inside its protocol and verify the server themselves, so the gateway passes it on. */
function postgresListeners(topology: Topology, primary: Service): GatewayListener[] {
  const check = "connection";
  const servers = [serverOf(primary)];
  const replicas = servicesOf(topology, "replica").map(serverOf);
  return [
    { port: "database", check, servers },
    { port: "reads", check, servers: [...replicas, { ...serverOf(primary), backup: replicas.length > 0 }] },
    { port: "direct", check, servers },
  ];
}
