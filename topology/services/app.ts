/** The FastAPI application: several instances on each server that runs apps, behind the edge there. */
import type { ImageKey } from "../../config/images.ts";
import type { Settings } from "../../config/schema.ts";
import { isLocal, placesFor, publish, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { imageConfinement } from "./image.ts";
import { type ReleaseCommands, releaseOf } from "./release.ts";

export interface AppService extends BaseService<"app"> {
  /** The ASGI application, as `module:attribute`. */
  readonly module: string;
  /** The port that it listens on inside its container. */
  readonly port: number;
  /** Answers 200 while the process works. */
  readonly healthPath: string;
  /** Answers 200 when the process can serve visitors. */
  readonly readyPath: string;
  /** The commands that prepare a new version. */
  readonly release: ReleaseCommands;
}

/** The images with the clients that ask external services: updates and doctor run them on the first app's server. */
const clientImages = ({ hosting, database, cache }: Settings): ImageKey[] => [
  ...(hosting !== "local" && database.mode === "external" ? (["postgres"] as const) : []),
  ...(hosting !== "local" && cache.mode === "external" ? (["redis"] as const) : []),
];

export const app: Definition<AppService> = {
  images: (settings) => ["app", ...clientImages(settings)],
  // The default of `orion:app.port`.
  ports: { http: 8000 },
  callers: ["edge"],
  movesTo: ["app"],
  keeps: "nothing",
  runs: "always",
  lossEffect: { effect: "no request would be answered", weight: "end" },
  scheme: "http",
  memorySettings: ({ app: own }) => [`orion:app.memoryMb (${own.memoryMb})`, `orion:app.instances (${own.instances})`],
  cpuShares: 1024,
  confinement: { ...imageConfinement, networks: ["data", "edge"] },
  commands: ({ release }) => (release.migrate[0] === "alembic" ? { "current migration": "alembic current" } : {}),
  probe: ({ readyPath, port }) => ({ kind: "http", path: readyPath, port, failure: "app-not-ready" }),
  plan(planning) {
    const { services, ports, app: own } = planning.settings;
    if (isLocal(planning) && !services.includes("app")) return [];
    const numbers = Array.from({ length: own.instances }, (_, index) => index + 1);
    return placesFor(planning, "app").flatMap((at) =>
      numbers.map((number) => ({
        ...serviceAt(planning, {
          ...{ kind: "app", at, memoryMb: own.memoryMb, part: String(number) },
          // The edge reaches instances over the container network; a local stack publishes the first one on loopback.
          ...(isLocal(planning) && number === 1 && { published: publish(at, own.port, ports.app) }),
        }),
        ...{ module: own.module, port: own.port, healthPath: own.healthPath, readyPath: own.readyPath },
        release: releaseOf(own),
      })),
    );
  },
};
