/** Load balancer services: parses requests and fills in Hetzner's defaults. */
import { z } from "zod";
import { id, maybe, parse, port } from "./body.ts";
import type { BalancerType } from "./catalogue.ts";
import type { Cloud } from "./cloud.ts";
import { HetznerError, invalid } from "./errors.ts";

const seconds = z.int().min(1);
const httpSchema = z.strictObject({
  cookie_name: maybe(z.string()),
  cookie_lifetime: maybe(seconds),
  certificates: maybe(z.array(id)),
  redirect_http: maybe(z.boolean()),
  sticky_sessions: maybe(z.boolean()),
  timeout_idle: maybe(z.int().min(30).max(300)),
});
const healthSchema = z.strictObject({
  protocol: maybe(z.enum(["tcp", "http"])),
  port: maybe(port),
  interval: maybe(z.int().min(3).max(60)),
  timeout: maybe(z.int().min(1).max(60)),
  retries: maybe(z.int().min(1).max(5)),
  http: maybe(
    z.strictObject({
      domain: maybe(z.string()),
      path: maybe(z.string()),
      response: maybe(z.string()),
      status_codes: maybe(z.array(z.string())),
      tls: maybe(z.boolean()),
    }),
  ),
});
/** A service of a request, whole or in part. */
export const serviceSchema = z.strictObject({
  listen_port: maybe(port),
  protocol: maybe(z.enum(["tcp", "http", "https"])),
  destination_port: maybe(port),
  proxyprotocol: maybe(z.boolean()),
  http: maybe(httpSchema),
  health_check: maybe(healthSchema),
});

/** A service as the API shows it. */
export interface Service {
  readonly protocol: "tcp" | "http" | "https";
  readonly listen_port: number;
  readonly destination_port: number;
  readonly proxyprotocol: boolean;
  readonly http?: {
    readonly cookie_name: string;
    readonly cookie_lifetime: number;
    readonly certificates: readonly number[];
    readonly redirect_http: boolean;
    readonly sticky_sessions: boolean;
    readonly timeout_idle: number;
  };
  readonly health_check: {
    readonly protocol: "tcp" | "http";
    readonly port: number;
    readonly interval: number;
    readonly timeout: number;
    readonly retries: number;
    readonly http?: {
      readonly domain: string;
      readonly path: string;
      readonly response: string;
      readonly status_codes: readonly string[];
      readonly tls: boolean;
    };
  };
}

/** Builds a service from the request and, for an update, its previous values. */
export function serviceOf(body: unknown, before?: Service): Service {
  const asked = parse(serviceSchema, body);
  const protocol = asked.protocol ?? before?.protocol;
  if (protocol === undefined) throw invalid("protocol", "is required");
  // What a service of its protocol does not have must not seem to be set.
  if (protocol === "tcp" && isSet(asked.http)) throw invalid("http", "needs protocol http or https");
  const standard = { tcp: undefined, http: 80, https: 443 }[protocol];
  const listenPort = asked.listen_port ?? before?.listen_port ?? standard;
  if (listenPort === undefined) throw invalid("listen_port", "is required with protocol tcp");
  const destinationPort = asked.destination_port ?? before?.destination_port ?? (protocol === "tcp" ? undefined : 80);
  if (destinationPort === undefined) throw invalid("destination_port", "is required with protocol tcp");
  const http = protocol === "tcp" ? undefined : httpOf(asked.http, before?.http);
  if (protocol === "https" && http?.certificates.length === 0) {
    throw invalid("http.certificates", "a service with protocol https needs a certificate");
  }
  if (asked.http?.certificates?.length && protocol !== "https")
    throw invalid("http.certificates", "needs protocol https");
  if (asked.http?.redirect_http && protocol !== "https") throw invalid("http.redirect_http", "needs protocol https");
  return {
    protocol,
    listen_port: listenPort,
    destination_port: destinationPort,
    proxyprotocol: asked.proxyprotocol ?? before?.proxyprotocol ?? false,
    ...(http && { http }),
    health_check: healthOf(asked.health_check, before?.health_check, protocol, destinationPort),
  };
}

const isSet = (part: object | undefined): boolean => Object.values(part ?? {}).some((value) => value !== undefined);

const httpOf = (asked: z.infer<typeof httpSchema> | undefined, before: Service["http"]): Service["http"] => ({
  cookie_name: asked?.cookie_name ?? before?.cookie_name ?? "HCLBSTICKY",
  cookie_lifetime: asked?.cookie_lifetime ?? before?.cookie_lifetime ?? 300,
  certificates: asked?.certificates ?? before?.certificates ?? [],
  redirect_http: asked?.redirect_http ?? before?.redirect_http ?? false,
  sticky_sessions: asked?.sticky_sessions ?? before?.sticky_sessions ?? false,
  timeout_idle: asked?.timeout_idle ?? before?.timeout_idle ?? 50,
});

function healthOf(
  asked: z.infer<typeof healthSchema> | undefined,
  before: Service["health_check"] | undefined,
  protocol: Service["protocol"],
  destinationPort: number,
): Service["health_check"] {
  const checked = asked?.protocol ?? before?.protocol ?? (protocol === "tcp" ? "tcp" : "http");
  if (checked === "tcp" && isSet(asked?.http)) throw invalid("health_check.http", "needs a check by protocol http");
  const common = {
    protocol: checked,
    port: asked?.port ?? before?.port ?? destinationPort,
    interval: asked?.interval ?? before?.interval ?? 15,
    timeout: asked?.timeout ?? before?.timeout ?? 10,
    retries: asked?.retries ?? before?.retries ?? 3,
  };
  if (common.timeout > common.interval) throw invalid("health_check.timeout", "must not be longer than interval");
  if (checked === "tcp") return common;
  return {
    ...common,
    http: {
      domain: asked?.http?.domain ?? before?.http?.domain ?? "",
      path: asked?.http?.path ?? before?.http?.path ?? "/",
      response: asked?.http?.response ?? before?.http?.response ?? "",
      status_codes: asked?.http?.status_codes ?? before?.http?.status_codes ?? ["2??", "3??"],
      tls: asked?.http?.tls ?? before?.http?.tls ?? false,
    },
  };
}

/** Adds a service. @throws {HetznerError} when its port is in use or the type's limit is reached */
export function withService(services: readonly Service[], added: Service, most: number): Service[] {
  if (services.some((one) => one.listen_port === added.listen_port)) {
    throw new HetznerError(409, "source_port_already_used", `source port ${added.listen_port} is already in use`);
  }
  if (services.length >= most) {
    throw new HetznerError(403, "resource_limit_exceeded", `this type of load balancer has at most ${most} services`);
  }
  return [...services, added];
}

/** @throws {HetznerError} when a certificate of the service does not exist */
export function requireCertificates(cloud: Cloud, service: Service): Service {
  for (const one of service.http?.certificates ?? []) cloud.require("hetzner.certificate", one);
  return service;
}

/** @throws {HetznerError} when no type has that id or name */
export function requireBalancerType({ catalogue }: Cloud, wanted: number | string): BalancerType {
  const found = catalogue.find(catalogue.balancerTypes, wanted);
  if (!found) throw invalid("load_balancer_type", `load balancer type '${wanted}' not found`);
  return found;
}
