/** Table of zone settings: initial value, allowed values, required plan. */
import { isRecord } from "../../common/record.ts";
import { type Plan, plans } from "./state.ts";

export interface Setting {
  readonly initial: unknown;
  /** Allowed values. @default - those that the shape allows */
  readonly allowed?: readonly unknown[];
  /** Which values are allowed where they cannot be listed. */
  readonly shape?: { readonly expected: string; readonly fits: (value: unknown) => boolean };
  /** The smallest plan on which it can be set. @default "free" */
  readonly plan?: Plan;
  /** The smallest plan of values that not every plan has. @default - all plans that can set it have all values */
  readonly plans?: ReadonlyMap<unknown, Plan>;
}

const onOff = ["on", "off"];
const off: Setting = { initial: "off", allowed: onOff };
const on: Setting = { initial: "on", allowed: onOff };

const hour = 3600;
const day = 24 * hour;

/** Cipher suites, by the names of OpenSSL, and those of TLS 1.3. */
const cipherSuites = [
  ...["ECDSA", "RSA"].flatMap((key) => [
    ...[`ECDHE-${key}-AES128-GCM-SHA256`, `ECDHE-${key}-CHACHA20-POLY1305`, `ECDHE-${key}-AES128-SHA256`],
    ...[`ECDHE-${key}-AES128-SHA`, `ECDHE-${key}-AES256-GCM-SHA384`, `ECDHE-${key}-AES256-SHA384`],
  ]),
  ...["AES128-GCM-SHA256", "AES128-SHA256", "AES128-SHA", "ECDHE-RSA-AES256-SHA", "AES256-GCM-SHA384"],
  ...["AES256-SHA256", "AES256-SHA", "DES-CBC3-SHA", "AEAD-AES128-GCM-SHA256", "AEAD-AES256-GCM-SHA384"],
  "AEAD-CHACHA20-POLY1305-SHA256",
];

/** Whether a value is an object with no other keys than those of the tests, each of which its value passes. */
const hasOnly = (value: unknown, tests: Readonly<Record<string, (value: unknown) => boolean>>): boolean =>
  isRecord(value) && Object.entries(value).every(([key, each]) => Object.hasOwn(tests, key) && tests[key]?.(each));
const isBoolean = (value: unknown): boolean => typeof value === "boolean";
const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

const strictTransport = {
  ...{ enabled: isBoolean, include_subdomains: isBoolean, preload: isBoolean, nosniff: isBoolean },
  max_age: (value: unknown) => isWhole(value, 0, 2 ** 31),
};

/** Settings that Cloudflare has and that are not emulated. */
export const settingsNotEmulated: readonly string[] = [
  ...["advanced_ddos", "aegis", "automatic_platform_optimization", "china_network_enabled", "cname_flattening"],
  ...["content_converter", "edge_cache_ttl", "fonts", "minify", "mobile_redirect", "origin_h2_max_streams", "rum"],
  ...["redirects_for_ai_training", "sha1_support", "speed_brain", "ssl_automatic_mode", "ssl_recommender"],
  ...["tls_1_2_only", "transformations", "waf"],
];

export const settings: Readonly<Record<string, Setting>> = {
  "0rtt": off,
  always_online: off,
  always_use_https: off,
  automatic_https_rewrites: on,
  brotli: on,
  browser_cache_ttl: {
    initial: 4 * hour,
    allowed: [
      ...[0, 30, 60, 120, 300, 1200, 1800],
      ...[1, 2, 3, 4, 5, 8, 12, 16, 20].map((hours) => hours * hour),
      ...[1, 2, 3, 4, 5, 8, 16, 24, 31, 62, 186, 365].map((days) => days * day),
    ],
  },
  browser_check: on,
  cache_level: { initial: "aggressive", allowed: ["aggressive", "basic", "simplified"] },
  challenge_ttl: {
    initial: 1800,
    allowed: [...[300, 900, 1800, 2700], ...[1, 2, 3, 4, 8, 16].map((hours) => hours * hour)].concat(
      [1, 7, 30, 365].map((days) => days * day),
    ),
  },
  ciphers: {
    initial: [],
    shape: {
      expected: `a list of ${cipherSuites.join(", ")}`,
      fits: (value) =>
        Array.isArray(value) &&
        new Set<unknown>(value).size === value.length &&
        value.every((one: unknown) => cipherSuites.some((name) => name === one)),
    },
  },
  development_mode: off,
  early_hints: off,
  email_obfuscation: on,
  h2_prioritization: { initial: "off", allowed: ["on", "off", "custom"], plan: "pro" },
  hotlink_protection: off,
  http2: { ...on, plan: "pro" },
  http3: off,
  image_resizing: { initial: "off", allowed: ["on", "off", "open"], plan: "pro" },
  ip_geolocation: on,
  ipv6: on,
  max_upload: {
    initial: 100,
    allowed: [100, 200, 500],
    plans: new Map([
      [200, "business"],
      [500, "enterprise"],
    ]),
  },
  min_tls_version: { initial: "1.0", allowed: ["1.0", "1.1", "1.2", "1.3"] },
  mirage: { ...off, plan: "pro" },
  nel: {
    initial: { enabled: true },
    shape: { expected: '{ "enabled": true or false }', fits: (value) => hasOnly(value, { enabled: isBoolean }) },
  },
  opportunistic_encryption: on,
  opportunistic_onion: on,
  orange_to_orange: { ...off, plan: "enterprise" },
  origin_error_page_pass_thru: { ...off, plan: "enterprise" },
  origin_max_http_version: { initial: "2", allowed: ["1", "2"] },
  polish: { initial: "off", allowed: ["off", "lossless", "lossy"], plan: "pro" },
  prefetch_preload: { ...off, plan: "enterprise" },
  privacy_pass: on,
  proxy_read_timeout: {
    initial: "100",
    plan: "enterprise",
    shape: {
      expected: "seconds from 1 to 6000",
      fits: (value) =>
        isWhole(value, 1, 6000) ||
        (typeof value === "string" && /^\d+$/.test(value) && isWhole(Number(value), 1, 6000)),
    },
  },
  pseudo_ipv4: { initial: "off", allowed: ["off", "add_header", "overwrite_header"] },
  replace_insecure_js: on,
  response_buffering: { ...off, plan: "enterprise" },
  rocket_loader: off,
  security_header: {
    initial: {
      strict_transport_security: {
        enabled: false,
        max_age: 0,
        include_subdomains: false,
        preload: false,
        nosniff: false,
      },
    },
    shape: {
      expected: `{ "strict_transport_security": { ${Object.keys(strictTransport).join(", ")} } }`,
      fits: (value) =>
        hasOnly(value, { strict_transport_security: (inner: unknown) => hasOnly(inner, strictTransport) }),
    },
  },
  security_level: { initial: "medium", allowed: ["off", "essentially_off", "low", "medium", "high", "under_attack"] },
  server_side_exclude: on,
  sort_query_string_for_cache: { ...off, plan: "enterprise" },
  ssl: { initial: "full", allowed: ["off", "flexible", "full", "strict"] },
  tls_1_3: { initial: "on", allowed: ["on", "off", "zrt"] },
  tls_client_auth: off,
  true_client_ip_header: { ...off, plan: "enterprise" },
  webp: { ...off, plan: "pro" },
  websockets: on,
};

export const isEntitled = (plan: Plan, needed: Plan | undefined): boolean =>
  plans.indexOf(plan) >= plans.indexOf(needed ?? "free");

/** Whether a setting may have a value. */
export const isAllowed = ({ allowed, shape }: Setting, value: unknown): boolean =>
  allowed?.includes(value) ?? shape?.fits(value) ?? false;
