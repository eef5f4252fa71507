/** The emulated Cloudflare API, version 4, as a part of a fastify application. */
import { type FastifyInstance } from "fastify";
import { ApiError, failure } from "./envelope.ts";
import { registerDns } from "./dns.ts";
import { type Area } from "./permissions.ts";
import { Routes } from "./routes.ts";
import { type CloudflareStore } from "./state.ts";
import { World, type ZoneConfig } from "./world.ts";
import { registerZones } from "./zones.ts";

export interface CloudflareDeps {
  readonly store: CloudflareStore;
  readonly now: () => Date;
  /** The token that may do everything. */
  readonly token: string;
  /** The 32 hexadecimal digits of the account. */
  readonly accountId: string;
  readonly zones: readonly ZoneConfig[];
}

/** Serves the API below `/client/v4`. */
export function registerCloudflare(app: FastifyInstance, deps: CloudflareDeps): World {
  const world = new World(deps);
  world.seed(deps.zones);
  void app.register(
    (scope, _options, done) => {
      scope.setNotFoundHandler((request, reply) => {
        const call = `${request.method} ${request.url.split("?")[0] ?? ""}`;
        return reply
          .code(501)
          .header("x-should-retry", "false")
          .send(failure({ code: 7501, message: `${call} is not emulated` }));
      });
      scope.setErrorHandler((error, _request, reply) => {
        if (error instanceof ApiError) return reply.code(error.status).send(error.envelope);
        const status = error instanceof Error && "statusCode" in error && error.statusCode === 400 ? 400 : 500;
        const message = error instanceof Error ? error.message : String(error);
        return reply.code(status).send(failure({ code: status === 400 ? 6007 : 10001, message }));
      });
      const routes = (area: Area) => new Routes(scope, world, area);
      registerZones(routes("Zone"), world);
      registerDns(routes("DNS"), world);
      done();
    },
    { prefix: "/client/v4" },
  );
  return world;
}
