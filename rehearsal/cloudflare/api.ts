/** Registers the emulated Cloudflare API (version 4) in a fastify application. */
import type { FastifyInstance } from "fastify";
import { ApiError, failure, notEmulated, success } from "./envelope.ts";
import { registerBalancers, registerPools } from "./balancers.ts";
import { registerDns } from "./dns.ts";
import { cloudflareRanges } from "../../common/cloudflare-ranges.ts";
import { accessKeys } from "./objects/keys.ts";
import type { ObjectStorage } from "./objects/storage.ts";
import { registerOriginCa } from "./origin-ca.ts";
import { registerOriginPulls } from "./origin-pulls.ts";
import type { Area } from "./permissions.ts";
import { registerR2 } from "./r2.ts";
import { checkParameters, Routes } from "./routes.ts";
import { registerRulesets } from "./rulesets.ts";
import { registerBots, registerCaching, registerSettings } from "./settings.ts";
import { registerAccountTokens, registerUserTokens } from "./tokens.ts";
import type { CloudflareStore } from "./state.ts";
import { World, type ZoneConfig } from "./world.ts";
import { registerSubscriptions, registerZones } from "./zones.ts";

export interface CloudflareDeps {
  readonly store: CloudflareStore;
  readonly now: () => Date;
  /** The token with all permissions. */
  readonly token: string;
  /** The 32 hexadecimal digits of the account. */
  readonly accountId: string;
  readonly zones: readonly ZoneConfig[];
  /** Storage of the objects in R2 buckets. */
  readonly objects: ObjectStorage;
}

/** Serves the API below `/client/v4`. */
export function registerCloudflare(app: FastifyInstance, deps: CloudflareDeps): World {
  const world = new World(deps);
  world.seed(deps.zones);
  void app.register(
    (scope, _options, done) => {
      scope.setNotFoundHandler((request) => {
        throw notEmulated(`${request.method} ${request.url.split("?")[0] ?? ""}`);
      });
      // Clients send JSON as other types, too, and a type without a body; a call that is not emulated may have any body.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", { parseAs: "string" }, (_request, body, settle) => {
        settle(null, body);
      });
      scope.setErrorHandler((error, _request, reply) => {
        if (error instanceof ApiError) {
          if (error.status === 501) reply.header("x-should-retry", "false");
          return reply.code(error.status).send(error.envelope);
        }
        const status = error instanceof Error && "statusCode" in error && error.statusCode === 400 ? 400 : 500;
        const message = error instanceof Error ? error.message : String(error);
        return reply.code(status).send(failure({ code: status === 400 ? 6007 : 10001, message }));
      });
      const routes = (area: Area) => new Routes(scope, world, area);
      registerZones(routes("Zone"), world);
      registerSubscriptions(routes("Billing"), world);
      registerDns(routes("DNS"), world);
      registerRulesets(routes("Zone WAF"), world);
      registerSettings(routes("Zone Settings"), world);
      registerBots(routes("Bot Management"), world);
      registerCaching(routes("Cache Settings"), world);
      registerOriginCa(routes("SSL and Certificates"), world);
      registerOriginPulls(routes("SSL and Certificates"), world);
      registerBalancers(routes("Load Balancers"), world);
      registerPools(routes("Load Balancing: Monitors and Pools"), world);
      const keysChanged = () => deps.objects.setKeys(accessKeys(world));
      registerR2(routes("Workers R2 Storage"), world, deps.objects, keysChanged);
      registerUserTokens(routes("API Tokens"), world, keysChanged);
      registerAccountTokens(routes("Account API Tokens"), world, keysChanged);
      scope.get("/ips", (request, reply) => {
        checkParameters(request.query, [], "GET /ips");
        const { ipv4, ipv6, etag } = cloudflareRanges;
        return reply.send(success({ ipv4_cidrs: ipv4, ipv6_cidrs: ipv6, etag }));
      });
      done();
    },
    { prefix: "/client/v4" },
  );
  return world;
}
