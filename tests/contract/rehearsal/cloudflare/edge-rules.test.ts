/** What a zone's rulesets do to requests at the edge. */
import { Rules } from "../../../../rehearsal/cloudflare/edge/rules.ts";
import type { Request } from "../../../../rehearsal/cloudflare/expression.ts";
import { Api } from "../support/api.ts";

const request = (path: string, more: Partial<Request> = {}): Request => ({
  ...{
    method: "GET",
    host: "www.example.com",
    path,
    query: "",
    headers: {},
    ip: "192.0.2.7",
    country: "DE",
    ssl: true,
  },
  ...more,
});
const starting = (path: string) => `starts_with(http.request.uri.path, "${path}")`;

async function rulesWith(
  skip: Readonly<Record<string, unknown>>,
): Promise<{ api: Api; judge: (to: Request) => unknown }> {
  const api = new Api();
  const post = (phase: string, rules: readonly object[]) =>
    api.call("POST", `/zones/${api.zone()}/rulesets`, { name: phase, kind: "zone", phase, rules });
  await post("http_request_firewall_custom", [
    { ref: "skip", action: "skip", action_parameters: skip, expression: starting("/trusted") },
    { ref: "block", action: "block", expression: `http.request.uri.path contains "bad"` },
  ]);
  await post("http_ratelimit", [
    {
      action: "block",
      expression: `http.request.uri.path contains "/"`,
      ratelimit: {
        ...{ characteristics: ["cf.colo.id", "ip.src"], period: 10, requests_per_period: 2, mitigation_timeout: 10 },
      },
    },
  ]);
  const rules = new Rules(api.world);
  const zone = api.world.zone(api.zone());
  return { api, judge: (to) => rules.judge(zone, to)?.status };
}

test("a skip of the ruleset skips what comes after it there, and nothing else", async () => {
  const { judge } = await rulesWith({ ruleset: "current" });
  expect(judge(request("/bad"))).toBe(403);
  expect([1, 2, 3].map(() => judge(request("/trusted/bad")))).toEqual([undefined, undefined, 429]);
});

test("a skip of a phase skips that phase, and the rules after it still count", async () => {
  const { judge } = await rulesWith({ phases: ["http_ratelimit"] });
  expect([1, 2, 3].map(() => judge(request("/trusted")))).toEqual([undefined, undefined, undefined]);
  expect(judge(request("/trusted/bad"))).toBe(403);
  expect([1, 2, 3].map(() => judge(request("/")))).toEqual([undefined, undefined, 429]);
});

test("a limit counts each address alone, and ends with its time", async () => {
  const { api, judge } = await rulesWith({ phases: ["http_request_sbfm"] });
  expect([1, 2, 3].map(() => judge(request("/")))).toEqual([undefined, undefined, 429]);
  expect(judge(request("/", { ip: "192.0.2.8" }))).toBeUndefined();
  api.now = new Date(api.now.getTime() + 10_001);
  expect(judge(request("/"))).toBeUndefined();
});

test("a rule that skips says that it logs, though nobody set it", async () => {
  const { api } = await rulesWith({ ruleset: "current" });
  const { result } = await api.call(
    "GET",
    `/zones/${api.zone()}/rulesets/phases/http_request_firewall_custom/entrypoint`,
  );
  expect(result["rules"]).toMatchObject([{ ref: "skip", logging: { enabled: true } }, { ref: "block" }]);
});
