/** Checks an edge by a request that it passes to the app; an edge behind a load balancer is asked at its health port. */
import { edgeHealthPath } from "../../../common/edge-contract.ts";
import { edgePorts, isBehindBalancer } from "../../../topology/services/edge.ts";
import { servicesOf } from "../../../topology/topology.ts";
import type { Checked } from "../advice.ts";
import type { Question } from "../question.ts";
import { checkHttp } from "./http.ts";

export function checkEdge({ service, topology, exec }: Question): Promise<Checked> {
  const from = servicesOf(topology, "app").find(({ server }) => server === service.server);
  const isBalanced = isBehindBalancer(service);
  const hasTls = service.published.some(({ containerPort }) => containerPort === edgePorts.https);
  const port = isBalanced ? edgePorts.health : hasTls ? edgePorts.https : edgePorts.http;
  return checkHttp({
    ...{ service, exec, from, port, failure: "bad-gateway" },
    ...{ scheme: port === edgePorts.https ? "https" : "http", path: isBalanced ? edgeHealthPath : "/ready" },
  });
}
