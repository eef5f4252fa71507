/**
 * The properties of each call's body that are honoured, or kept and given back, as the document of the real API has them, and
 * the values that they can have. Others are refused by name, because a client that is not told believes that they count. Pure.
 */
import { isRecord } from "../../common/record.ts";
import { invalid, isText, withoutNulls } from "./body.ts";
import { ApiError, notEmulated } from "./envelope.ts";
import { decimal, flag, hexId, listOf, mapOf, oneOf, shortText, someText, text, time, Value, whole } from "./values.ts";

/** What something may have: a value; the properties of an object; or a list of what is in the brackets. */
export type Shape = Value | { readonly [name: string]: Shape } | readonly [Shape];

/** Any value, because the handler of the call checks it, with an error of its own. */
const anything = new Value("anything", () => true);
/** The handler of the call checks all of them itself. */
const byHandler = "by the handler";

/** Properties that the handler checks. */
const all = (...names: readonly string[]): Readonly<Record<string, Shape>> => alike(anything, ...names);
/** Several properties with the same values. */
const alike = (value: Value, ...names: readonly string[]): Readonly<Record<string, Shape>> =>
  Object.fromEntries(names.map((name) => [name, value]));

/** What clients send back as they have read it. */
const stamps: Shape = { id: text, ...alike(time, "created_on", "modified_on") };

const affinities = oneOf("none", "", "cookie", "ip_cookie", "header");
const policies = oneOf(
  ...["", "off", "geo", "random", "dynamic_latency", "proximity"],
  ...["least_outstanding_requests", "least_connections"],
);
const poolIds = listOf(text);
const steering: Shape = {
  ...{ default_pools: poolIds, fallback_pool: text, steering_policy: policies, ttl: decimal(0) },
  ...{ session_affinity: affinities, session_affinity_ttl: decimal(0) },
  ...alike(mapOf(poolIds), "country_pools", "pop_pools", "region_pools"),
  adaptive_routing: { failover_across_pools: flag },
  location_strategy: { mode: oneOf("pop", "resolver_ip"), prefer_ecs: oneOf("always", "never", "proximity", "geo") },
  random_steering: { default_weight: decimal(0, 1), pool_weights: mapOf(decimal(0, 1)) },
  session_affinity_attributes: {
    drain_duration: decimal(0),
    headers: listOf(new Value("names of headers", (name) => isText(name) && /^[\w-]{1,100}$/.test(name))),
    require_all_headers: flag,
    samesite: oneOf("Auto", "Lax", "None", "Strict"),
    secure: oneOf("Auto", "Always", "Never"),
    zero_downtime_failover: oneOf("none", "temporary", "sticky"),
  },
};
const balancer: Shape = {
  ...stamps,
  ...steering,
  ...all("name", "default_pools", "fallback_pool"),
  ...{ zone_name: text, description: text, enabled: flag, proxied: flag, networks: listOf(text) },
  rules: [
    {
      ...{ name: shortText(200), condition: text, disabled: flag, priority: whole(0), terminates: flag },
      fixed_response: {
        ...{ content_type: shortText(32), location: shortText(2048), message_body: shortText(1024) },
        status_code: whole(100, 599),
      },
      overrides: steering,
    },
  ],
};
const regions = oneOf(
  ...["WNAM", "ENAM", "WEU", "EEU", "NSAM", "SSAM", "OC", "ME", "NAF", "SAF", "SAS", "SEAS", "NEAS", "ALL_REGIONS"],
);
const isNotified: Shape = alike(flag, "disable", "healthy");
const pool: Shape = {
  ...stamps,
  ...all("name", "monitor", "minimum_origins"),
  ...{ description: text, enabled: flag, check_regions: listOf(regions) },
  ...{ latitude: decimal(-90, 90), longitude: decimal(-180, 180) },
  ...{ notification_email: text, disabled_at: time, networks: listOf(text) },
  load_shedding: {
    ...{ default_percent: decimal(0, 100), default_policy: oneOf("random", "hash") },
    ...{ session_percent: decimal(0, 100), session_policy: oneOf("hash") },
  },
  notification_filter: { origin: isNotified, pool: isNotified },
  origin_steering: { policy: oneOf("random", "hash", "least_outstanding_requests", "least_connections") },
  origins: [
    {
      ...all("address", "weight", "port"),
      ...{ name: text, enabled: flag, disabled_at: time, virtual_network_id: text, flatten_cname: flag },
      header: { Host: listOf(text) },
    },
  ],
};
const monitor: Shape = {
  ...stamps,
  ...all("path", "port", "header", "expected_codes", "interval", "timeout", "retries"),
  type: oneOf("http", "https", "tcp", "udp_icmp", "icmp_ping", "smtp"),
  ...alike(text, "description", "expected_body", "probe_zone"),
  method: new Value("a method such as GET", (method) => isText(method) && /^[A-Za-z_]+$/.test(method)),
  ...alike(whole(0), "consecutive_up", "consecutive_down"),
  ...alike(flag, "allow_insecure", "follow_redirects"),
};
const token: Shape = {
  ...all("condition"),
  ...{ id: shortText(32), name: someText(120), status: oneOf("active", "disabled", "expired") },
  ...alike(time, "issued_on", "modified_on", "last_used_on", "expires_on", "not_before"),
  policies: [{ ...all("effect", "resources"), id: text, permission_groups: [{ id: anything, name: text }] }],
};
const ruleset: Shape = {
  ...all("name", "kind", "phase"),
  ...{ id: hexId, description: text, version: text, last_updated: time },
  rules: [anything],
};
const subscription: Shape = {
  ...{
    id: shortText(32),
    frequency: oneOf("weekly", "monthly", "quarterly", "yearly"),
    price: decimal(),
    currency: text,
  },
  state: oneOf("Trial", "Provisioned", "Paid", "AwaitingPayment", "Cancelled", "Failed", "Expired"),
  ...alike(time, "current_period_end", "current_period_start"),
  rate_plan: {
    id: anything,
    ...alike(text, "public_name", "currency", "scope"),
    sets: listOf(text),
    is_contract: flag,
  },
};
const onOff: Shape = { id: text, value: anything, editable: flag, modified_on: time };
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
  "PATCH /zones/:zone/settings/:setting": { ...onOff, time_remaining: decimal() },
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
  "PUT /zones/:zone/origin_tls_client_auth/hostnames": {
    config: [{ hostname: shortText(255), cert_id: anything, enabled: flag }],
  },
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

const ttl: Shape = { mode: oneOf("respect_origin", "bypass_by_default", "override_origin"), default: whole(0) };
const names = listOf(text);
const query: Shape = { list: names, all: flag };
const isSet = (one: unknown): boolean => isText(one) && one !== "";
/** What takes the place of a part of a request: fixed, or computed. */
const rewritten = new Value(
  "an object with either a value or an expression",
  (part) =>
    isRecord(part) &&
    Object.values(withoutNulls(part)).length === 1 &&
    (isSet(part["value"]) || isSet(part["expression"])),
);
const sensitivity = oneOf("default", "medium", "low", "eoff");
const changedHeader = new Value("an object with an operation, and a value or an expression to set", (header) => {
  if (!isRecord(header)) return false;
  const { operation, ...rest } = withoutNulls(header);
  if (operation === "remove") return Object.keys(rest).length === 0;
  return (operation === "set" || operation === "add") && rewritten.fits(rest);
});
const skippable = oneOf(
  ...["ddos_l4", "ddos_l7", "http_config_settings", "http_custom_errors", "http_log_custom_fields", "http_ratelimit"],
  ...["http_request_cache_settings", "http_request_dynamic_redirect", "http_request_firewall_custom"],
  ...["http_request_firewall_managed", "http_request_late_transform", "http_request_origin", "http_request_redirect"],
  ...["http_request_sanitize", "http_request_sbfm", "http_request_select_configuration", "http_request_transform"],
  ...["http_response_compression", "http_response_firewall_managed", "http_response_headers_transform"],
  ...["magic_transit", "magic_transit_ids_managed", "magic_transit_managed"],
);
const override: Shape = { action: text, enabled: flag, sensitivity_level: sensitivity };

/** What a rule's `action_parameters` may have, by its action. */
export const actionParameters: Readonly<Record<string, Shape>> = {
  block: { response: { ...alike(someText(), "content", "content_type"), status_code: whole(400, 499) } },
  challenge: {},
  compress_response: { algorithms: [{ name: oneOf("none", "auto", "default", "gzip", "brotli", "zstd") }] },
  execute: {
    id: anything,
    matched_data: { public_key: someText() },
    overrides: {
      ...override,
      categories: [{ ...override, category: someText() }],
      rules: [{ ...override, id: hexId, score_threshold: whole() }],
    },
  },
  js_challenge: {},
  log: {},
  managed_challenge: {},
  redirect: {
    from_list: { key: someText(), name: someText(50) },
    from_value: { preserve_query_string: flag, status_code: oneOf(301, 302, 303, 307, 308), target_url: rewritten },
  },
  rewrite: {
    uri: { path: rewritten, query: rewritten },
    headers: mapOf(changedHeader),
  },
  route: {
    host_header: someText(),
    origin: { host: someText(), port: whole(1, 65_535) },
    sni: { value: someText() },
  },
  serve_error: {
    asset_name: someText(),
    content: someText(10_240),
    content_type: oneOf("application/json", "text/xml", "text/plain", "text/html"),
    status_code: whole(400, 999),
  },
  set_cache_settings: {
    ...alike(flag, "cache", "origin_cache_control", "origin_error_page_passthru", "respect_strong_etags"),
    ...alike(flag, "strip_etags", "strip_last_modified", "strip_set_cookie"),
    additional_cacheable_ports: listOf(whole(1, 65_535)),
    // The document has the former name of the size.
    cache_reserve: { eligible: flag, minimum_file_size: whole(0), min_file_size: whole(0) },
    read_timeout: whole(0),
    browser_ttl: ttl,
    cache_key: {
      ...alike(flag, "cache_by_device_type", "cache_deception_armor", "ignore_query_strings_order"),
      custom_key: {
        query_string: { include: query, exclude: query },
        cookie: alike(names, "check_presence", "include"),
        header: { ...alike(names, "check_presence", "include"), contains: mapOf(names), exclude_origin: flag },
        host: { resolved: flag },
        user: alike(flag, "device_type", "geo", "lang"),
      },
    },
    edge_ttl: {
      ...ttl,
      // -1: not to be stored.
      status_code_ttl: [
        { status_code: whole(100, 999), value: whole(-1), status_code_range: alike(whole(0, 999), "from", "to") },
      ],
    },
    serve_stale: { disable_stale_while_updating: flag },
  },
  set_config: {
    ...alike(flag, "automatic_https_rewrites", "bic", "email_obfuscation", "fonts", "hotlink_protection", "mirage"),
    ...alike(flag, "opportunistic_encryption", "rocket_loader", "server_side_excludes", "sxg"),
    ...alike(oneOf(true), "disable_apps", "disable_rum", "disable_zaraz"),
    ...alike(flag, "content_converter", "redirects_for_ai_training"),
    request_body_buffering: oneOf("none", "standard", "full"),
    response_body_buffering: oneOf("none", "standard"),
    autominify: alike(flag, "css", "html", "js"),
    polish: oneOf("off", "lossless", "lossy"),
    security_level: oneOf("off", "essentially_off", "low", "medium", "high", "under_attack"),
    ssl: oneOf("off", "flexible", "full", "strict", "origin_pull"),
  },
  skip: {
    phase: oneOf("current"),
    phases: listOf(skippable),
    products: listOf(oneOf("bic", "hot", "rateLimit", "securityLevel", "uaBlock", "waf", "zoneLockdown")),
    rules: mapOf(listOf(hexId)),
    ruleset: oneOf("current"),
    rulesets: listOf(hexId),
  },
};

/** What a rule has besides its parameters. */
export const rule: Shape = {
  ...all("action", "action_parameters", "expression", "ratelimit"),
  logging: { enabled: flag },
  exposed_credential_check: alike(someText(), "username_expression", "password_expression"),
  ...{ id: hexId, ref: someText(), description: text, enabled: flag, categories: listOf(someText()) },
  ...{ version: text, last_updated: time },
};

/** A rule's `ratelimit`. */
export const rateLimit: Shape = {
  ...all("mitigation_timeout", "period", "requests_per_period"),
  ...{ characteristics: names, counting_expression: text, requests_to_origin: flag },
};

/** The shape of a call's body. @throws {Error} for a call that has none: it would ignore what it does not know */
export function shapeOf(method: string, url: string): Shape | undefined {
  if (!["POST", "PUT", "PATCH"].includes(method)) return undefined;
  const shape = shapes[`${method} ${url}`];
  if (shape === undefined) throw new Error(`properties.ts does not say which properties ${method} ${url} honours`);
  return shape === byHandler ? undefined : shape;
}

/** Cloudflare's codes for a value that a property cannot have, by a part of the call's address. */
const codes: readonly (readonly [part: string, code: number])[] = [
  ["/load_balancers", 1002],
  ["/rulesets", 20_120],
  ["/tokens", 1000],
];
export const codeOf = (url: string): number => codes.find(([part]) => url.includes(part))?.[1] ?? 1004;

/**
 * Null counts as not sent.
 *
 * @param what the call or the part of it, for the message
 * @param code of the error about a value
 * @throws {ApiError} for the first property that the shape does not have, and for a value that it cannot have
 */
export function checkProperties(
  value: unknown,
  shape: Shape,
  what: string,
  code = 1004,
  path: readonly string[] = [],
): void {
  if (value === undefined || value === null) return;
  if (shape instanceof Value) {
    if (!shape.fits(value)) throw invalid(path.join("."), value, shape.expected, code);
    return;
  }
  const wrong = (expected: string): ApiError =>
    new ApiError(400, code, `${path.join(".")} of ${what}: expected ${expected}`, `/${path.join("/")}`);
  if (isList(shape)) {
    if (!Array.isArray(value)) throw wrong("a list");
    for (const [index, each] of value.entries()) {
      if (!isRecord(each)) throw wrong("a list of objects");
      checkProperties(each, shape[0], what, code, [...path, String(index)]);
    }
    return;
  }
  if (!isRecord(value)) throw wrong("an object");
  for (const [name, each] of Object.entries(value)) {
    const inner = shape[name];
    if (inner !== undefined) checkProperties(each, inner, what, code, [...path, name]);
    else if (each !== null) throw notEmulated(`the property ${[...path, name].join(".")} of ${what}`);
  }
}

const isList = (shape: Exclude<Shape, Value>): shape is readonly [Shape] => Array.isArray(shape);
