/** The edge: nginx on each server that runs apps, reached by visitors or by load balancers. */
import { edgeConfigFile } from "../../common/edge-contract.ts";
import { isLocal, type Placement, placesFor, type Planning, publish, serviceAt } from "../planning.ts";
import type { BaseService, Definition, Published } from "../service.ts";

export const edgePorts = { http: 8080, https: 8443, health: 8081 } as const;

export const edge: Definition<BaseService<"edge">> = {
  images: ({ edge: { tls } }) => ["nginx", ...(tls === "acme" ? (["certbot"] as const) : [])],
  ports: edgePorts,
  callers: ["load-balancer"],
  movesTo: ["app"],
  keeps: "files",
  runs: "always",
  lossEffect: { effect: "no visitor would reach the app", weight: "end" },
  scheme: "http",
  memorySettings: ({ edge: own }) => [`orion:edge.memoryMb (${own.memoryMb})`],
  cpuShares: 2048,
  confinement: {
    networks: ["edge"],
    // The main process gives folders for bodies to the workers' user and starts them as this user.
    capabilities: ["CHOWN", "SETGID", "SETUID"],
    // Bodies of requests and answers that are larger than a buffer, and the cache: on the disk, since memory is limited.
    writable: ["/tmp"],
    memoryFolders: {},
    // A reload leaves old workers behind until their last WebSocket ends.
    processes: 1024,
  },
  commands: () => ({ configuration: `nginx -T -c ${edgeConfigFile}` }),
  probe: () => ({ kind: "edge" }),
  plan(planning) {
    const { services, edge: own } = planning.settings;
    if (isLocal(planning) && !services.includes("edge")) return [];
    return placesFor(planning, "app").map((at) =>
      serviceAt(planning, { kind: "edge", at, memoryMb: own.memoryMb, published: publishedOf(planning, at) }),
    );
  },
};

/** Published on all addresses where visitors connect (a firewall filters them); behind a load balancer on the private one only. */
function publishedOf(planning: Planning, at: Placement): readonly Published[] {
  if (isLocal(planning)) return publish(at, edgePorts.http, planning.settings.ports.edge);
  const reached = at.publicWeb ? { ...at, address: "0.0.0.0" } : at;
  return [
    ...publish(reached, edgePorts.http, 80),
    ...publish(reached, edgePorts.https, 443),
    ...(at.publicWeb ? [] : publish(at, edgePorts.health)),
  ];
}
