/** Table of zone settings: initial value, allowed values, required plan. */
import { type Plan, plans } from "./state.ts";

export interface Setting {
  readonly initial: unknown;
  /** Allowed values; undefined: any value of the same type. */
  readonly allowed?: readonly unknown[];
  /** The smallest plan on which it can be set. @default "free" */
  readonly plan?: Plan;
}

const onOff = ["on", "off"];
const off: Setting = { initial: "off", allowed: onOff };
const on: Setting = { initial: "on", allowed: onOff };

export const settings: Readonly<Record<string, Setting>> = {
  "0rtt": off,
  always_online: off,
  always_use_https: off,
  automatic_https_rewrites: on,
  brotli: on,
  browser_cache_ttl: { initial: 14_400 },
  browser_check: on,
  cache_level: { initial: "aggressive", allowed: ["aggressive", "basic", "simplified"] },
  challenge_ttl: { initial: 1800 },
  ciphers: { initial: [] },
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
  max_upload: { initial: 100 },
  min_tls_version: { initial: "1.0", allowed: ["1.0", "1.1", "1.2", "1.3"] },
  mirage: { ...off, plan: "pro" },
  nel: { initial: { enabled: true } },
  opportunistic_encryption: on,
  opportunistic_onion: on,
  orange_to_orange: { ...off, plan: "enterprise" },
  origin_error_page_pass_thru: { ...off, plan: "enterprise" },
  origin_max_http_version: { initial: "2", allowed: ["1", "2"] },
  polish: { initial: "off", allowed: ["off", "lossless", "lossy"], plan: "pro" },
  prefetch_preload: { ...off, plan: "enterprise" },
  privacy_pass: on,
  proxy_read_timeout: { initial: "100", plan: "enterprise" },
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
export function isAllowed({ initial, allowed }: Setting, value: unknown): boolean {
  return allowed === undefined
    ? typeof value === typeof initial && Array.isArray(value) === Array.isArray(initial)
    : allowed.includes(value);
}
