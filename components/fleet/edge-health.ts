/** Where a load balancer asks a server's edge whether it is healthy. Pure. */
import { edgeHealthPath } from "../../common/edge-contract.ts";
import type { Server } from "../../topology/server.ts";
import { edgePorts } from "../../topology/services/edge.ts";
import type { Topology } from "../../topology/topology.ts";

/** The URL of load balancers' health check of a server's edge; undefined without a load balancer. */
export function edgeHealthOf(
  { services }: Pick<Topology, "services">,
  { name }: Pick<Server, "name">,
): string | undefined {
  const ports = services.flatMap(({ kind, server, published }) =>
    kind === "edge" && server === name ? published : [],
  );
  const at = ports.find(({ containerPort }) => containerPort === edgePorts.health);
  return at && `http://${at.address}:${at.port}${edgeHealthPath}`;
}
