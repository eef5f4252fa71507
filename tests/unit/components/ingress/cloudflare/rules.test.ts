/** What Cloudflare does with requests, on each plan: as the emulated API accepts it, and judged as its edge judges. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  botManagement,
  type CloudflarePlan,
  planProblem,
  type Rule,
  rulesets,
  zoneSettings,
} from "../../../../../components/ingress/cloudflare/rules.ts";
import { encode } from "../../../../../rehearsal/cloudflare-plugin/codec.ts";
import { resources } from "../../../../../rehearsal/cloudflare-plugin/resources.ts";
import type { Description } from "../../../../../rehearsal/cloudflare-plugin/shapes.ts";
import { records } from "../../../../../rehearsal/cloudflare/body.ts";
import { compile, type Request } from "../../../../../rehearsal/cloudflare/expression.ts";
import { checkRules } from "../../../../../rehearsal/cloudflare/ruleset-rules.ts";
import { isAllowed, isEntitled, settings } from "../../../../../rehearsal/cloudflare/setting-values.ts";

const plans = ["free", "pro", "business"] as const;
const domain = "orion.example.com";
const rulesOf = (plan: CloudflarePlan, name: string): readonly Rule[] =>
  rulesets(plan, [domain]).find((ruleset) => ruleset.name === name)?.rules ?? [];
const refs = (rules: readonly Rule[]): string[] => rules.map(({ ref }) => ref);

const request = (url: string, more: Partial<Request> = {}): Request => {
  const [path = "/", query = ""] = url.split("?");
  return { method: "GET", host: domain, path, query, headers: {}, ip: "192.0.2.7", country: "DE", ssl: true, ...more };
};
const matching = (rules: readonly Rule[], to: Request): string[] =>
  refs(rules.filter(({ expression }) => compile(expression).matches(to)));

test.each(plans)("plan %s: which rules there are", (plan) => {
  const found = Object.fromEntries(rulesets(plan, [domain]).map(({ name, rules }) => [name, refs(rules)]));
  const sqli = ["orion_sqli_union", "orion_sqli_tautology", "orion_sqli_schema", "orion_sqli_commands"];
  const paid = plan !== "free";
  expect(found).toEqual({
    firewall: paid ? [...sqli, "orion_webhooks"] : sqli,
    ...(paid && { managed: ["orion_managed", "orion_owasp"] }),
    limits: [
      "orion_limit_all",
      ...(paid ? ["orion_limit_logins"] : []),
      ...(plan === "business" ? ["orion_limit_writes"] : []),
    ],
    cache: ["orion_cache_none", "orion_cache_static", "orion_cache_uploads"],
  });
});

test.each(plans)(
  "plan %s: a phase has one ruleset; every rule says who it is, what for, and that it counts",
  (plan) => {
    const all = rulesets(plan, [domain]);
    expect(new Set(all.map(({ phase }) => phase)).size).toBe(all.length);
    const rules = all.flatMap((ruleset) => ruleset.rules);
    expect(new Set(refs(rules)).size).toBe(rules.length);
    expect(rules.filter(({ description, enabled }) => description === "" || !enabled)).toEqual([]);
    // Where something else than a skip carries a logging object, the API refuses it.
    expect(rules.filter(({ action, logging }) => (action === "skip") !== (logging !== undefined))).toEqual([]);
  },
);

describe("the API", () => {
  const path = join("rehearsal", "cloudflare-plugin", "properties.json");
  const { Ruleset: ruleset } = JSON.parse(readFileSync(path, "utf8")) as Record<string, Description>;
  const check = (rules: CloudflarePlan, zone: CloudflarePlan): void => {
    if (!ruleset) throw new Error("properties.json describes no Ruleset");
    for (const { phase, rules: list } of rulesets(rules, [domain])) {
      const sent = encode(ruleset.inputs, { rules: list }, resources["Ruleset"]?.spelling ?? {});
      checkRules(phase, records(sent["rules"]), zone);
    }
  };

  test.each(plans)("accepts the rules of plan %s on that plan", (plan) => {
    expect(() => {
      check(plan, plan);
    }).not.toThrow();
  });

  test.each([
    ["pro", "free", "not entitled to execute the ruleset Cloudflare Managed Ruleset"],
    ["business", "pro", "exceeded the maximum number of rules in the phase http_ratelimit: 3 out of 2"],
  ] as const)("refuses those of plan %s on plan %s", (rules, zone, message) => {
    expect(() => {
      check(rules, zone);
    }).toThrow(message);
  });
});

describe.each(plans)("plan %s: SQL injection", (plan) => {
  test.each([
    ["/orders?id=1%20UNION%20SELECT%20password%20FROM%20users", "orion_sqli_union"],
    ["/orders?id=1+union+all+select+1", "orion_sqli_union"],
    ["/orders?id=1%2520union%2520select%25201", "orion_sqli_union"],
    ["/orders?id=1%20union/**/select", "orion_sqli_union"],
    ["/orders?id=%zz%20union%20select", "orion_sqli_union"],
    ["/orders/1%20or%201=1", "orion_sqli_tautology"],
    ["/session?user=x'%20or%20'1'='1", "orion_sqli_tautology"],
    ["/orders?q=select+*+from+INFORMATION_SCHEMA.tables", "orion_sqli_schema"],
    ["/orders?id=1;select+pg_sleep(10)", "orion_sqli_commands"],
    ["/orders?id=1;%20DROP%20TABLE%20orders", "orion_sqli_commands"],
  ])("%s is blocked by %s", (url, ref) => {
    const rules = rulesOf(plan, "firewall");
    expect(matching(rules, request(url))).toEqual([ref]);
    expect(rules.find((rule) => rule.ref === ref)?.action).toBe("block");
  });

  test.each([
    "/orders?id=1",
    "/orders?q=union+of+workers&select=all",
    "/orders?q=this+or+that",
    "/orders?q=100%25+wool",
    "/uploads/0123-reunion-selection.png",
    "/static/app.js?v=1",
  ])("%s passes", (url) => {
    expect(matching(rulesOf(plan, "firewall"), request(url))).toEqual([]);
  });

  test("no rule applies to another host of the zone", () => {
    const other = request("/?id=1%20union%20select", { host: "blog.example.com" });
    expect(matching(rulesOf(plan, "firewall"), other)).toEqual([]);
  });
});

test("machines that call webhooks are no bots to fight, where the plan can tell", () => {
  const webhook = request("/webhooks/stripe", { method: "POST" });
  expect(matching(rulesOf("free", "firewall"), webhook)).toEqual([]);
  const [skip] = rulesOf("pro", "firewall").filter(({ ref }) => ref === "orion_webhooks");
  expect(skip).toMatchObject({ action: "skip", actionParameters: { phases: ["http_request_sbfm"] } });
  expect(matching(rulesOf("pro", "firewall"), webhook)).toEqual(["orion_webhooks"]);
});

describe("rate limits", () => {
  const limitsOf = (plan: CloudflarePlan) =>
    rulesOf(plan, "limits").map(({ ref, action, ratelimit }) => ({ ref, action, ratelimit }));
  const limit = (ref: string, requestsPerPeriod: number, period: number) => ({
    ref,
    action: "block",
    ratelimit: { characteristics: ["cf.colo.id", "ip.src"], period, requestsPerPeriod, mitigationTimeout: period },
  });
  const all = limit("orion_limit_all", 1000, 10);

  test.each([
    ["free", [all]],
    ["pro", [all, limit("orion_limit_logins", 600, 60)]],
    ["business", [all, limit("orion_limit_logins", 240, 60), limit("orion_limit_writes", 500, 10)]],
  ] as const)("plan %s", (plan, expected) => {
    expect(limitsOf(plan)).toEqual(expected);
  });

  test.each([
    ["free", request("/orders"), ["orion_limit_all"]],
    ["free", request("/static/app.js"), []],
    ["pro", request("/session"), ["orion_limit_all", "orion_limit_logins"]],
    ["pro", request("/orders", { host: "blog.example.com" }), []],
    ["business", request("/session"), ["orion_limit_all"]],
    [
      "business",
      request("/session", { method: "POST" }),
      ["orion_limit_all", "orion_limit_logins", "orion_limit_writes"],
    ],
    ["business", request("/orders", { method: "PUT" }), ["orion_limit_all", "orion_limit_writes"]],
  ] as const)("plan %s: %j counts for %j", (plan, to, expected) => {
    expect(matching(rulesOf(plan, "limits"), to)).toEqual(expected);
  });
});

describe.each(plans)("plan %s: what the edge keeps", (plan) => {
  test.each([
    ["/static/app.js", "orion_cache_static"],
    ["/uploads/0123-a.png", "orion_cache_uploads"],
    ["/", "orion_cache_none"],
    ["/ws", "orion_cache_none"],
    ["/health", "orion_cache_none"],
    ["/orders/1", "orion_cache_none"],
    // Without a rule, the name alone would do.
    ["/reports/monthly.pdf", "orion_cache_none"],
  ])("%s is decided by %s", (url, ref) => {
    expect(matching(rulesOf(plan, "cache"), request(url))).toEqual([ref]);
  });

  test("static files for a month, failures not at all, uploads as the app says, and nothing else", () => {
    expect(rulesOf(plan, "cache").map(({ actionParameters }) => actionParameters)).toEqual([
      { cache: false },
      {
        cache: true,
        edgeTtl: {
          mode: "override_origin",
          default: 2_592_000,
          statusCodeTtls: [{ statusCodeRange: { from: 400 }, value: -1 }],
        },
        browserTtl: { mode: "respect_origin" },
      },
      { cache: true, edgeTtl: { mode: "bypass_by_default" }, browserTtl: { mode: "respect_origin" } },
    ]);
  });
});

describe("the zone's settings", () => {
  test.each([
    [true, "on"],
    [false, "off"],
  ])("Cloudflare signs the origins' certificate: %s, HTTPS always: %s", (certificate, always) => {
    expect(zoneSettings(certificate)).toEqual({
      ssl: "strict",
      always_use_https: always,
      min_tls_version: "1.2",
      tls_1_3: "on",
      http3: "on",
      websockets: "on",
    });
  });

  test("are allowed on every plan", () => {
    const notFree = Object.entries(zoneSettings(true)).filter(([name, value]) => {
      const setting = settings[name];
      return !setting || !isEntitled("free", setting.plan) || !isAllowed(setting, value);
    });
    expect(notFree).toEqual([]);
  });
});

test.each([
  ["free", { enableJs: true, fightMode: true }],
  [
    "pro",
    {
      enableJs: true,
      sbfmDefinitelyAutomated: "managed_challenge",
      sbfmVerifiedBots: "allow",
      sbfmStaticResourceProtection: false,
    },
  ],
  [
    "business",
    {
      enableJs: true,
      sbfmDefinitelyAutomated: "managed_challenge",
      sbfmLikelyAutomated: "managed_challenge",
      sbfmVerifiedBots: "allow",
      sbfmStaticResourceProtection: false,
    },
  ],
] as const)("bots on plan %s", (plan, expected) => {
  expect(botManagement(plan)).toEqual(expected);
});

test.each([
  ["free", "free", undefined],
  ["enterprise", "business", undefined],
  ["partners_business", "pro", undefined],
  [undefined, "pro", undefined],
  ["free", "pro", 'orion:cloudflare.plan: got "pro", but the zone example.com is on plan free; set it to free'],
  ["business", "free", 'orion:cloudflare.plan: got "free", but the zone example.com is on plan business'],
] as const)("a zone on plan %s and a stack that says %s", (actual, wanted, message) => {
  const problem = planProblem({ name: "example.com", plan: { legacyId: actual } }, wanted);
  if (message === undefined) expect(problem).toBeUndefined();
  else expect(problem).toContain(message);
});

test("several host names are matched together, and no other one", () => {
  const [firewall] = rulesets("pro", [domain, "www.example.com"]);
  expect(firewall?.rules[0]?.expression).toMatch(/^http\.host in \{"orion\.example\.com" "www\.example\.com"\} and /);
});
