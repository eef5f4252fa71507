/** Registers the emulated Hetzner Cloud API (version 1) in a fastify application. */
import { timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { nameTypes } from "./former-types.ts";
import { Actions, type ActionFault } from "./actions.ts";
import { Catalogue } from "./catalogue.ts";
import { Cloud, type CloudOptions } from "./cloud.ts";
import { recover } from "./converge.ts";
import { HetznerError } from "./errors.ts";
import { registerFirewalls } from "./firewalls.ts";
import { registerFloatingIps } from "./floating-ips.ts";
import { addHeaders, RateLimit } from "./headers.ts";
import { registerLoadBalancers } from "./load-balancers.ts";
import { registerLookups } from "./lookups.ts";
import { registerNetworks } from "./networks.ts";
import { registerPlacementGroups } from "./placement-groups.ts";
import { registerPrimaryIps } from "./primary-ips.ts";
import { Routes } from "./resources.ts";
import { registerServers } from "./servers.ts";
import { registerCertificates } from "./certificates.ts";
import { registerSshKeys } from "./ssh-keys.ts";
import { registerVolumes } from "./volumes.ts";

const prefix = "/hetzner/v1";

export interface HetznerDeps extends Omit<CloudOptions, "actions" | "catalogue"> {
  /** Token that every call must carry. */
  readonly token: string;
  readonly actionFault: ActionFault;
}

/** Serves the API below `/hetzner/v1`. `resume` continues work that was interrupted when the emulator last ended. */
export function registerHetzner(
  app: FastifyInstance,
  deps: HetznerDeps,
): { cloud: Cloud; resume: () => Promise<void> } {
  const actions = new Actions(deps.store, deps.now, deps.actionFault);
  const catalogue = new Catalogue(join(import.meta.dirname, "catalogue"));
  const cloud = new Cloud({ ...deps, actions, catalogue });
  nameTypes(deps.store);
  void app.register(
    (scope, _options, done) => {
      addHeaders(scope, new RateLimit(deps.now));
      scope.addHook("onRequest", (request, _reply, next) => {
        next(refusalOf(request.headers.authorization, deps.token));
      });
      scope.setErrorHandler((error, _request, reply) => {
        const known = error instanceof HetznerError ? error : unexpected(error);
        return reply.code(known.status).send(known.envelope);
      });
      // Clients send the JSON content type even when a command has no body.
      scope.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, parsed) => {
        try {
          parsed(null, text === "" ? {} : JSON.parse(String(text)));
        } catch {
          parsed(new HetznerError(400, "json_error", "the body is not valid JSON"), undefined);
        }
      });
      const routes = new Routes(scope, cloud);
      scope.setNotFoundHandler((request) => {
        const [path = ""] = request.url.slice(prefix.length).split("?");
        throw routes.served.refusalOf(request.method, path);
      });
      registerLookups(routes);
      registerSshKeys(routes);
      registerPlacementGroups(routes);
      registerCertificates(routes);
      registerPrimaryIps(routes);
      registerFloatingIps(routes);
      registerNetworks(routes);
      registerFirewalls(routes);
      registerVolumes(routes);
      registerServers(routes);
      registerLoadBalancers(routes);
      done();
    },
    { prefix },
  );
  return { cloud, resume: () => recover(cloud) };
}

function refusalOf(authorization: string | undefined, token: string): HetznerError | undefined {
  if (authorization === undefined) return new HetznerError(401, "unauthorized", "token is required");
  const [wanted, given] = [`Bearer ${token}`, authorization].map((text) => Buffer.from(text));
  const isValid = wanted?.length === given?.length && wanted && given && timingSafeEqual(wanted, given);
  return isValid ? undefined : new HetznerError(401, "unauthorized", "the token you have provided is invalid");
}

/** Error for a defect of the emulator, or for a request that is invalid before a handler runs. */
function unexpected(error: unknown): HetznerError {
  const message = error instanceof Error ? error.message : String(error);
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  return status < 500
    ? new HetznerError(status, "invalid_input", message)
    : new HetznerError(500, "server_error", message);
}
