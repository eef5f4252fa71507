/** The FastAPI application: several instances on each server that runs apps, behind the edge there. */
import { isLocal, placesFor, publish, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { imageConfinement } from "./image.ts";

export const appPorts = { http: 8000 } as const;

export const app: Definition<BaseService<"app">> = {
  images: () => ["app"],
  ports: appPorts,
  callers: ["edge"],
  keeps: "nothing",
  runs: "always",
  scheme: "http",
  cpuShares: 1024,
  confinement: { ...imageConfinement, networks: ["data", "edge"] },
  commands: { "current migration": "alembic current" },
  probe: { kind: "http", path: "/ready", port: appPorts.http, failure: "app-not-ready" },
  plan(planning) {
    const { services, ports, app: own } = planning.settings;
    if (isLocal(planning) && !services.includes("app")) return [];
    const numbers = Array.from({ length: own.instances }, (_, index) => index + 1);
    return placesFor(planning, "app").flatMap((at) =>
      numbers.map((number) =>
        serviceAt(planning, {
          ...{ kind: "app", at, memoryMb: own.memoryMb, part: String(number) },
          // The edge reaches instances over the container network; a local stack publishes the first one on loopback.
          ...(isLocal(planning) && number === 1 && { published: publish(at, appPorts.http, ports.app) }),
        }),
      ),
    );
  },
};
