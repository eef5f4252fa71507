/** What Cloudflare does with the requests for one host name: not every plan has every kind of rule. Pure. */
import type * as cloudflare from "@pulumi/cloudflare";
import { z } from "zod";
import type { Settings } from "../../../config/schema.ts";

export type CloudflarePlan = Settings["cloudflare"]["plan"];

/** A rule that says everything about itself: what is left to the API comes back as a difference. */
export interface Rule extends cloudflare.types.input.RulesetRule {
  /** Its identity: with it a rule keeps its id and its figures, wherever it stands. */
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
export function rulesets(plan: CloudflarePlan, domain: string): readonly ZoneRuleset[] {
  const here = `http.host eq "${domain}"`;
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
 * SQL injection in what a URL says, in texts that no URL of the platform has. The free plan may have five such rules, and
 * no regular expressions; the others have Cloudflare's own rulesets as well, which look into bodies, too.
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
    ...(plan === "free" ? [] : [letWebhooksIn(here)]),
  ];
}

/** Who calls a webhook is a machine and solves no puzzle; what it sends is signed. */
const letWebhooksIn = (here: string): Rule =>
  rule("orion_webhooks", "Webhooks are no bots to fight", "skip", `${here} and starts_with(${path}, "/webhooks/")`, {
    actionParameters: { phases: ["http_request_sbfm"] },
    logging: { enabled: true },
  });

/** Cloudflare's rulesets, with the strictness that Cloudflare gives them. */
const managed = (here: string): Rule[] => [
  rule("orion_managed", "Cloudflare Managed Ruleset", "execute", here, {
    actionParameters: { id: "efb7b8c949ac4650a09736fc376e9aee" },
  }),
  rule("orion_owasp", "Cloudflare OWASP Core Ruleset", "execute", here, {
    actionParameters: { id: "4814384a9e5d4991b9815dcfc25d2f1f" },
  }),
];

/**
 * What one address may ask for. Each limit is at or above the one that follows it on the way (nginx lets 100 requests a second
 * through, the app 120 logins a minute), so that Cloudflare keeps floods away, and whoever comes too often in good faith gets the
 * app's own answer, which says when to come again.
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
  // Files of a page come in dozens, and from the cache. The free plan knows of a request nothing but its path.
  const dynamic = `not starts_with(${path}, "/static/")`;
  const all = (expression: string) => limit("orion_limit_all", "requests", expression, 1000, 10);
  const logins = `(starts_with(${path}, "/session") or starts_with(${path}, "/login"))`;
  switch (plan) {
    case "free":
      return [all(dynamic)];
    case "pro":
      return [
        all(`${here} and ${dynamic}`),
        // The method is not known on this plan: who looks at a session counts as well.
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

/** What is kept at the edge: static files; uploads as far as the app says so; and nothing else, whatever its name looks like. */
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
      // A month, as nginx tells browsers. An answer that went wrong is not kept: while a version is rolled out, an old app
      // may be asked for a file that only the new one has.
      edgeTtl: {
        mode: "override_origin",
        default: 30 * 86_400,
        statusCodeTtls: [{ statusCodeRange: { from: 400 }, value: -1 }],
      },
      browserTtl,
    }),
    // Only the app knows whether a file is for everybody.
    set("orion_cache_uploads", "Uploads", below("/uploads/"), {
      cache: true,
      edgeTtl: { mode: "bypass_by_default" },
      browserTtl,
    }),
  ];
}

/**
 * Settings of the zone that every plan may set. Brotli is none any more: Cloudflare compresses without being asked.
 *
 * @param certificate whether Cloudflare signs the origins' certificate; another CA asks for its proof over plain HTTP, so that
 *   the way to HTTPS is then nginx' to show
 */
export const zoneSettings = (certificate: boolean): Readonly<Record<string, string>> => ({
  ssl: "strict",
  always_use_https: certificate ? "on" : "off",
  min_tls_version: "1.2",
  tls_1_3: "on",
  http3: "on",
  websockets: "on",
});

/** How bots are met. The free plan has one switch for all of them. */
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

/** What a zone may tell of its plan. The API means to stop it: a zone that says nothing is taken at the stack's word. */
const zoneWithPlan = z.object({ name: z.string(), plan: z.object({ legacyId: z.string() }) });

/**
 * What is wrong when a stack is set to another plan than its zone has; undefined when they agree. A plan that is not for
 * sale here is taken to have everything.
 *
 * @param zone as it was found
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
