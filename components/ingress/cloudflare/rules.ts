/** Cloudflare's rules and settings for the platform's host names, by plan: firewall, rate limits, cache, bots. Pure. */
import type * as cloudflare from "@pulumi/cloudflare";
import { z } from "zod";
import type { Settings } from "../../../config/schema.ts";

export type CloudflarePlan = Settings["cloudflare"]["plan"];

/** A rule with every property set: a default that the API fills in would show up as a difference. */
export interface Rule extends cloudflare.types.input.RulesetRule {
  /** Its identity: a rule with the same ref keeps its id and statistics at any position. */
  readonly ref: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly action: string;
  readonly expression: string;
}

/** The rules of one phase of a zone. */
export interface ZoneRuleset {
  readonly name: "firewall" | "managed" | "limits" | "cache";
  readonly phase: string;
  readonly rules: readonly Rule[];
}

const path = "http.request.uri.path";
const method = "http.request.method";

/** The rulesets of a zone, each the only one of its phase. */
export function rulesets(plan: CloudflarePlan, hostnames: readonly string[]): readonly ZoneRuleset[] {
  const all = hostnames.map((one) => `"${one}"`).join(" ");
  const here = hostnames.length === 1 ? `http.host eq ${all}` : `http.host in {${all}}`;
  return [
    { name: "firewall", phase: "http_request_firewall_custom", rules: firewall(plan, here) },
    ...(plan === "free"
      ? []
      : [{ name: "managed", phase: "http_request_firewall_managed", rules: managed(here) } as const]),
    { name: "limits", phase: "http_ratelimit", rules: limits(plan, here) },
    { name: "cache", phase: "http_request_cache_settings", rules: cache(here) },
  ];
}

const rule = (
  ref: string,
  description: string,
  action: string,
  expression: string,
  more: Pick<Rule, "actionParameters" | "logging" | "ratelimit"> = {},
): Rule => ({ ref, description, enabled: true, action, expression, ...more });

/**
 * Blocks SQL injection in URLs, by texts that no URL of the platform contains. The free plan has five such rules and no
 * regular expressions; the other plans have Cloudflare's own rulesets too, which also inspect bodies.
 */
function firewall(plan: CloudflarePlan, here: string): Rule[] {
  const uri = `lower(url_decode(http.request.uri, "r"))`;
  const block = (ref: string, description: string, texts: readonly string[]) =>
    rule(ref, description, "block", `${here} and (${texts.map((text) => `${uri} contains "${text}"`).join(" or ")})`);
  return [
    block("orion_sqli_union", "SQL injection: results of another query", [
      ...["union select", "union all select", "union distinct select", "union/*"],
    ]),
    block("orion_sqli_tautology", "SQL injection: a condition that always holds", [
      ...["or 1=1", "and 1=1", "' or '1'='1", "' or 'a'='a", "or true--", "' or 1--"],
    ]),
    block("orion_sqli_schema", "SQL injection: names of tables and users", [
      ...["information_schema", "pg_catalog.", "pg_shadow", "pg_user"],
    ]),
    block("orion_sqli_commands", "SQL injection: commands and delays", [
      ...["sleep(", "benchmark(", "waitfor delay", "; drop table", ";drop table", "; delete from", ";delete from"],
    ]),
    ...(plan === "free" ? [] : [allowWebhooks(here)]),
  ];
}

/** Callers of webhooks are machines that cannot solve a challenge; their requests are signed. */
const allowWebhooks = (here: string): Rule =>
  rule("orion_webhooks", "Webhooks are no bots to fight", "skip", `${here} and starts_with(${path}, "/webhooks/")`, {
    actionParameters: { phases: ["http_request_sbfm"] },
    logging: { enabled: true },
  });

/** Cloudflare's managed rulesets with their default strictness. */
const managed = (here: string): Rule[] => [
  rule("orion_managed", "Cloudflare Managed Ruleset", "execute", here, {
    actionParameters: { id: "efb7b8c949ac4650a09736fc376e9aee" },
  }),
  rule("orion_owasp", "Cloudflare OWASP Core Ruleset", "execute", here, {
    actionParameters: { id: "4814384a9e5d4991b9815dcfc25d2f1f" },
  }),
];

/**
 * Rate limits per address. Each is at or above the next limit behind it (nginx allows 100 requests a second, the app 120
 * logins a minute): Cloudflare stops floods, and a legitimate client that is too fast gets the app's own answer with
 * Retry-After.
 */
function limits(plan: CloudflarePlan, here: string): Rule[] {
  const limit = (ref: string, what: string, expression: string, requests: number, period: 10 | 60) =>
    rule(ref, `${requests} ${what} in ${period} s from one address`, "block", expression, {
      ratelimit: {
        characteristics: ["cf.colo.id", "ip.src"],
        period,
        requestsPerPeriod: requests,
        mitigationTimeout: period,
      },
    });
  // A page loads dozens of static files, from the cache. On the free plan a rule can only match the path.
  const dynamic = `not starts_with(${path}, "/static/")`;
  const all = (expression: string) => limit("orion_limit_all", "requests", expression, 1000, 10);
  const logins = `(starts_with(${path}, "/session") or starts_with(${path}, "/login"))`;
  switch (plan) {
    case "free":
      return [all(dynamic)];
    case "pro":
      return [
        all(`${here} and ${dynamic}`),
        // A rule cannot match the method on this plan, so reading a session counts as well.
        limit("orion_limit_logins", "requests for sessions", `${here} and ${logins}`, 600, 60),
      ];
    case "business":
      return [
        all(`${here} and ${dynamic}`),
        limit("orion_limit_logins", "logins", `${here} and ${method} eq "POST" and ${logins}`, 240, 60),
        limit("orion_limit_writes", "writes", `${here} and not ${method} in {"GET" "HEAD" "OPTIONS"}`, 500, 10),
      ];
  }
}

/** Cloudflare caches static files, uploads as the app's headers allow, and nothing else, whatever its file extension. */
function cache(here: string): Rule[] {
  const below = (folder: string) => `starts_with(${path}, "${folder}")`;
  const set = (
    ref: string,
    description: string,
    expression: string,
    parameters: cloudflare.types.input.RulesetRuleActionParameters,
  ) =>
    rule(ref, description, "set_cache_settings", `${here} and ${expression}`, {
      actionParameters: parameters,
    });
  const browserTtl = { mode: "respect_origin" };
  return [
    set("orion_cache_none", "Everything else", `not ${below("/static/")} and not ${below("/uploads/")}`, {
      cache: false,
    }),
    set("orion_cache_static", "Static files", below("/static/"), {
      cache: true,
      // A month, as in nginx' headers for browsers. Errors are not cached: during a rollout an old app may get a request for a
      // file that only the new one has.
      edgeTtl: {
        mode: "override_origin",
        default: 30 * 86_400,
        statusCodeTtls: [{ statusCodeRange: { from: 400 }, value: -1 }],
      },
      browserTtl,
    }),
    // Only the app knows whether a file is public.
    set("orion_cache_uploads", "Uploads", below("/uploads/"), {
      cache: true,
      edgeTtl: { mode: "bypass_by_default" },
      browserTtl,
    }),
  ];
}

/**
 * Settings of the zone that every plan can set. Brotli is not a setting any more: Cloudflare always compresses.
 *
 * @param certificate whether Cloudflare signs the origins' certificate; another CA requests its challenges over plain HTTP, so
 *   that nginx redirects to HTTPS instead of Cloudflare
 */
export const zoneSettings = (certificate: boolean): Readonly<Record<string, string>> => ({
  ssl: "strict",
  always_use_https: certificate ? "on" : "off",
  min_tls_version: "1.2",
  tls_1_3: "on",
  http3: "on",
  websockets: "on",
});

/** Settings against bots. The free plan has one switch for all of them. */
export function botManagement(plan: CloudflarePlan): Omit<cloudflare.BotManagementArgs, "zoneId"> {
  if (plan === "free") return { enableJs: true, fightMode: true };
  return {
    enableJs: true,
    sbfmDefinitelyAutomated: "managed_challenge",
    ...(plan === "business" && { sbfmLikelyAutomated: "managed_challenge" }),
    sbfmVerifiedBots: "allow",
    sbfmStaticResourceProtection: false,
  };
}

/** The plan that the zone reports. The field is deprecated; without it the stack's setting is believed. */
const zoneWithPlan = z.object({ name: z.string(), plan: z.object({ legacyId: z.string() }) });

/**
 * The problem when the stack's plan is not the zone's; undefined when they agree. A zone with a plan that a stack cannot name
 * is assumed to have every feature.
 *
 * @param zone as the API returned it
 */
export function planProblem(zone: unknown, wanted: CloudflarePlan): string | undefined {
  const { data } = zoneWithPlan.safeParse(zone);
  const actual = data?.plan.legacyId ?? wanted;
  if (actual === wanted || !["free", "pro", "business"].includes(actual)) return undefined;
  return (
    `orion:cloudflare.plan: got "${wanted}", but the zone ${data?.name ?? ""} is on plan ${actual}; ` +
    `set it to ${actual}, or change the zone's plan at Cloudflare first`
  );
}
