/** What the gateways of a plan listen on, and the servers behind each port. Pure. */
import type { Service } from "../../topology/service.ts";
import { servicesOf, type Topology } from "../../topology/topology.ts";
import { publishedAddress } from "../published-address.ts";
import type { GatewayListener, GatewayServer } from "./haproxy-config.ts";

/** The same on every server of the plan. An external database or Redis has no port. */
export const gatewayListeners = (topology: Topology): GatewayListener[] => [
  ...servicesOf(topology, "cache").map((cache) => redisListener("cache", cache)),
  ...servicesOf(topology, "broker").map((broker) => redisListener("broker", broker)),
  ...servicesOf(topology, "database").flatMap((primary) => postgresListeners(topology, primary)),
];

const serverOf = (service: Service): GatewayServer => ({ name: service.name, address: publishedAddress(service) });

const redisListener = (port: "cache" | "broker", service: Service): GatewayListener => ({
  ...{ port, check: "redis" },
  servers: [{ ...serverOf(service), certificateName: service.name }],
});

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
