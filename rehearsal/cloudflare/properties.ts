/**
 * The properties of each call's body that are honoured, or kept and given back, as the document of the real API has them.
 * Another one is refused by name, because a client that is not told believes that it counts. Pure.
 */
import { isRecord } from "../../common/record.ts";
import { ApiError, notEmulated } from "./envelope.ts";

/** What a value may have: anything; the properties of an object; or a list of what is in the brackets. */
export type Shape = typeof anything | { readonly [name: string]: Shape } | readonly [Shape];

const anything = "anything";
/** The handler of the call checks them itself, with errors of its own. */
const byHandler = "by the handler";

/** Properties of a shape with any value. */
const all = (...names: readonly string[]): Readonly<Record<string, Shape>> =>
  Object.fromEntries(names.map((name) => [name, anything]));

/** What clients send back as they have read it. */
const stamps = all("id", "created_on", "modified_on");

const adaptiveRouting = all("failover_across_pools");
const affinityAttributes = all(
  ...["drain_duration", "headers", "require_all_headers", "samesite", "secure", "zero_downtime_failover"],
);
const steering: Shape = {
  ...all("default_pools", "fallback_pool", "steering_policy", "ttl", "session_affinity", "session_affinity_ttl"),
  ...all("country_pools", "pop_pools", "region_pools"),
  adaptive_routing: adaptiveRouting,
  location_strategy: all("mode", "prefer_ecs"),
  random_steering: all("default_weight", "pool_weights"),
  session_affinity_attributes: affinityAttributes,
};
const balancer: Shape = {
  ...stamps,
  ...steering,
  ...all("name", "zone_name", "description", "enabled", "proxied", "networks"),
  rules: [
    {
      ...all("name", "condition", "disabled", "priority", "terminates"),
      fixed_response: all("content_type", "location", "message_body", "status_code"),
      overrides: steering,
    },
  ],
};
const isNotified = all("disable", "healthy");
const pool: Shape = {
  ...stamps,
  ...all("name", "description", "enabled", "monitor", "minimum_origins", "check_regions", "latitude", "longitude"),
  ...all("notification_email", "disabled_at", "networks"),
  load_shedding: all("default_percent", "default_policy", "session_percent", "session_policy"),
  notification_filter: { origin: isNotified, pool: isNotified },
  origin_steering: all("policy"),
  origins: [
    {
      ...all("name", "address", "enabled", "weight", "port", "disabled_at", "virtual_network_id"),
      header: all("Host"),
    },
  ],
};
const monitor: Shape = {
  ...stamps,
  ...all("type", "description", "method", "path", "port", "header", "expected_body", "expected_codes"),
  ...all("interval", "timeout", "retries", "consecutive_up", "consecutive_down"),
  ...all("allow_insecure", "follow_redirects", "probe_zone"),
};
const token: Shape = {
  ...all("id", "name", "status", "issued_on", "modified_on", "last_used_on", "expires_on", "not_before", "condition"),
  policies: [{ ...all("id", "effect", "resources"), permission_groups: [all("id", "name")] }],
};
const ruleset: Shape = {
  ...all("id", "name", "description", "kind", "phase", "version", "last_updated"),
  rules: [anything],
};
const subscription: Shape = {
  ...all("id", "frequency", "price", "currency", "state", "current_period_end", "current_period_start"),
  rate_plan: all("id", "public_name", "currency", "scope", "sets", "is_contract"),
};
const onOff: Shape = all("id", "value", "editable", "modified_on");
const age = all("type", "maxAge", "date");
const customDomain = all("enabled", "minTLS", "ciphers");

const balancing = (path: string, item: Shape) => ({
  [`POST ${path}`]: item,
  [`PUT ${path}/:item`]: item,
  [`PATCH ${path}/:item`]: item,
});
const bucket = "/accounts/:account/r2/buckets/:bucket";

const shapes: Readonly<Record<string, Shape | typeof byHandler>> = {
  ...balancing("/zones/:zone/load_balancers", balancer),
  ...balancing("/accounts/:account/load_balancers/pools", pool),
  ...balancing("/accounts/:account/load_balancers/monitors", monitor),
  "POST /zones/:zone/dns_records": byHandler,
  "PUT /zones/:zone/dns_records/:record": byHandler,
  "PATCH /zones/:zone/dns_records/:record": byHandler,
  "POST /zones/:zone/rulesets": ruleset,
  "PUT /zones/:zone/rulesets/:ruleset": ruleset,
  "PUT /zones/:zone/rulesets/phases/:phase/entrypoint": ruleset,
  "POST /zones/:zone/rulesets/:ruleset/rules": byHandler,
  "PATCH /zones/:zone/rulesets/:ruleset/rules/:rule": byHandler,
  "PATCH /zones/:zone/settings/:setting": { ...onOff, ...all("time_remaining") },
  "POST /zones/:zone/subscription": subscription,
  "PUT /zones/:zone/subscription": subscription,
  "PUT /zones/:zone/bot_management": byHandler,
  "PATCH /zones/:zone/argo/tiered_caching": onOff,
  "PATCH /zones/:zone/argo/smart_routing": onOff,
  "PATCH /zones/:zone/cache/regional_tiered_cache": onOff,
  "POST /zones/:zone/cache/tiered_cache_smart_topology_enable": onOff,
  "PATCH /zones/:zone/cache/tiered_cache_smart_topology_enable": onOff,
  "POST /certificates": all("csr", "hostnames", "request_type", "requested_validity"),
  "POST /zones/:zone/origin_tls_client_auth": all("certificate", "private_key"),
  "PUT /zones/:zone/origin_tls_client_auth/settings": all("enabled"),
  "PUT /zones/:zone/origin_tls_client_auth/hostnames": { config: [all("hostname", "cert_id", "enabled")] },
  "POST /accounts/:account/r2/buckets": all("name", "locationHint", "storageClass"),
  // What it changes is in headers; clients also send what cannot be changed.
  [`PATCH ${bucket}`]: all("name", "location"),
  [`PUT ${bucket}/cors`]: {
    rules: [{ ...all("id", "exposeHeaders", "maxAgeSeconds"), allowed: all("methods", "origins", "headers") }],
  },
  [`PUT ${bucket}/lifecycle`]: {
    rules: [
      {
        ...all("id", "enabled"),
        conditions: all("prefix"),
        abortMultipartUploadsTransition: { condition: age },
        deleteObjectsTransition: { condition: age },
        storageClassTransitions: [{ condition: age, ...all("storageClass") }],
      },
    ],
  },
  [`PUT ${bucket}/lock`]: {
    rules: [{ ...all("id", "enabled", "prefix"), condition: all("type", "maxAgeSeconds", "date") }],
  },
  [`POST ${bucket}/domains/custom`]: { ...customDomain, ...all("domain", "zoneId") },
  [`PUT ${bucket}/domains/custom/:domain`]: { ...customDomain, ...all("domain", "zoneId") },
  [`PUT ${bucket}/domains/managed`]: all("enabled"),
  "POST /user/tokens": token,
  "PUT /user/tokens/:token": token,
  "POST /accounts/:account/tokens": token,
  "PUT /accounts/:account/tokens/:token": token,
};

/** What a rule's `action_parameters` may have, by its action; those of other actions are kept. */
export const actionParameters: Readonly<Record<string, Shape>> = {
  set_cache_settings: {
    ...all("cache", "additional_cacheable_ports", "cache_reserve", "origin_cache_control"),
    ...all("origin_error_page_passthru", "read_timeout", "respect_strong_etags", "strip_etags"),
    ...all("strip_last_modified", "strip_set_cookie"),
    browser_ttl: all("default", "mode"),
    cache_key: {
      ...all("cache_by_device_type", "cache_deception_armor", "ignore_query_strings_order"),
      custom_key: {
        query_string: { include: all("list", "all"), exclude: all("list", "all") },
        ...all("cookie", "header", "host", "user"),
      },
    },
    edge_ttl: {
      ...all("default", "mode"),
      status_code_ttl: [{ ...all("status_code", "value"), status_code_range: all("from", "to") }],
    },
    serve_stale: all("disable_stale_while_updating"),
  },
};

/** A rule's `ratelimit`. */
export const rateLimit: Shape = {
  ...all("characteristics", "counting_expression", "mitigation_timeout", "period", "requests_per_period"),
  ...all("requests_to_origin", "score_per_period", "score_response_header_name"),
};

/** The shape of a call's body. @throws {Error} for a call that has none: it would ignore what it does not know */
export function shapeOf(method: string, url: string): Shape | undefined {
  if (!["POST", "PUT", "PATCH"].includes(method)) return undefined;
  const shape = shapes[`${method} ${url}`];
  if (shape === undefined) throw new Error(`properties.ts does not say which properties ${method} ${url} honours`);
  return shape === byHandler ? undefined : shape;
}

/**
 * Null counts as not sent.
 *
 * @param what the call or the part of it, for the message
 * @throws {ApiError} for the first property that the shape does not have, and for a value that is no object or no list
 */
export function checkProperties(value: unknown, shape: Shape, what: string, path: readonly string[] = []): void {
  if (shape === anything || value === undefined || value === null) return;
  const wrong = (expected: string): ApiError =>
    new ApiError(400, 1004, `${path.join(".")} of ${what}: expected ${expected}`, `/${path.join("/")}`);
  if (isList(shape)) {
    if (!Array.isArray(value)) throw wrong("a list");
    for (const [index, each] of value.entries()) {
      if (!isRecord(each)) throw wrong("a list of objects");
      checkProperties(each, shape[0], what, [...path, String(index)]);
    }
    return;
  }
  if (!isRecord(value)) throw wrong("an object");
  for (const [name, each] of Object.entries(value)) {
    const inner = shape[name];
    if (inner !== undefined) checkProperties(each, inner, what, [...path, name]);
    else if (each !== null) throw notEmulated(`the property ${[...path, name].join(".")} of ${what}`);
  }
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);
