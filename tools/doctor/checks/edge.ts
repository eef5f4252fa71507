/** Checks an edge by a request that it passes to the app; on a server at its health port, since others answer visitors only. */
import { edgeHealthPath } from "../../../common/edge-contract.ts";
import { edgePorts } from "../../../topology/services/edge.ts";
import { servicesOf } from "../../../topology/topology.ts";
import type { Checked } from "../advice.ts";
import type { Question } from "../question.ts";
import { checkHttp } from "./http.ts";

export function checkEdge({ service, topology, exec }: Question): Promise<Checked> {
  const from = servicesOf(topology, "app").find(({ server }) => server === service.server);
  const at =
    service.server === "local"
      ? { port: edgePorts.http, path: from?.healthPath ?? "/" }
      : { port: edgePorts.health, path: edgeHealthPath };
  return checkHttp({ service, exec, from, scheme: "http", failure: "bad-gateway", ...at });
}
