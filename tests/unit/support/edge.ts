/** An edge's configuration with the settings of a phase, for tests. */
import type { NginxConfig } from "../../../components/edge-proxy/nginx-config.ts";
import { internalPaths } from "../../../config/schema.ts";
import { presets } from "../../../config/presets.ts";

const { bodyLimitMb, responseSeconds, limits, headers, websockets } = presets.mvp.edge;

/** What the edge does with requests in phase mvp. */
export const edgeRules = {
  healthPath: "/health",
  bodyLimitMb,
  responseSeconds,
  limits,
  headers,
  websockets,
  privatePaths: [...internalPaths],
};

/** Plain HTTP without a host name, as on a local Docker Engine. */
export const plainEdge: NginxConfig = {
  ...{ port: 8080, app: { host: "app", port: 8000 }, trustedProxies: [] },
  ...edgeRules,
};

/** The ports, host name and certificate of an edge on a server. */
export const serverEdge: NginxConfig = {
  ...{ ...plainEdge, hostname: "orion.example.com", healthPort: 8081 },
  tls: { port: 8443, certificate: "edge.crt", key: "edge.key" },
};
