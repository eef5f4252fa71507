import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { permissionGroups } from "../../../../rehearsal/cloudflare/permissions.ts";
import { setQuirk } from "../../../../rehearsal/cloudflare/quirks.ts";
import type { Plan } from "../../../../rehearsal/cloudflare/state.ts";
import { accountId, Api } from "../support/api.ts";
import { signingRequest } from "../support/certificate.ts";

const a = (content: string, name = "www.example.com") => ({ type: "A", name, content, ttl: 1, proxied: true });
const block = (ref: string, expression = `http.request.uri.path eq "/${ref}"`) => ({
  ref,
  action: "block",
  expression,
});
const waf = (...rules: readonly object[]) => ({
  name: "waf",
  kind: "zone",
  phase: "http_request_firewall_custom",
  rules,
});

describe("calls", () => {
  test("a call that is not emulated says so, and is not to be tried again", async () => {
    const answer = await new Api().call("GET", "/user/audit_logs");
    expect(answer.status).toBe(501);
    expect(answer.headers.get("x-should-retry")).toBe("false");
    expect(JSON.stringify(answer.body)).toContain("GET /client/v4/user/audit_logs is not emulated");
  });

  test("without a token, or with a wrong one, nothing is answered", async () => {
    const api = new Api();
    const wrong = await api.call("GET", "/zones", undefined, { authorization: `Bearer ${"f".repeat(64)}` });
    expect([wrong.status, wrong.code]).toEqual([401, 1000]);
    const none = await api.call("GET", "/zones", undefined, { authorization: "Basic x" });
    expect([none.status, none.code]).toEqual([400, 6003]);
  });

  test("a list ends with an empty page", async () => {
    const api = new Api();
    const zone = api.zone();
    for (const number of [1, 2, 3]) await api.call("POST", `/zones/${zone}/dns_records`, a(`192.0.2.${number}`));
    const page = (number: number) => api.call("GET", `/zones/${zone}/dns_records?per_page=2&page=${number}`);
    const [first, second, third] = [await page(1), await page(2), await page(3)];
    expect([first, second, third].map(({ body }) => records(body["result"]).length)).toEqual([2, 1, 0]);
    expect(third.body["result_info"]).toEqual({ page: 3, per_page: 2, count: 0, total_count: 3, total_pages: 2 });
  });

  test("a token may do what its policies say, and no more", async () => {
    const api = new Api();
    const id = permissionGroups.find(({ name }) => name === "DNS Read")?.id;
    const policies = [
      {
        effect: "allow",
        permission_groups: [{ id }],
        resources: { [`com.cloudflare.api.account.zone.${api.zone()}`]: "*" },
      },
    ];
    const made = await api.call("POST", "/user/tokens", { name: "dns", policies });
    const headers = { authorization: `Bearer ${String(made.result["value"])}` };
    const records = `/zones/${api.zone()}/dns_records`;
    expect((await api.call("GET", records, undefined, headers)).status).toBe(200);
    expect((await api.call("POST", records, a("192.0.2.1"), headers)).status).toBe(403);
    expect((await api.call("GET", `/zones/${api.zone()}/settings/ssl`, undefined, headers)).status).toBe(403);
    expect((await api.call("GET", `/user/tokens/${String(made.result["id"])}`)).result["value"]).toBeUndefined();
  });
});

test("a token of one zone finds that zone, and has certificates for that one alone", async () => {
  const api = new Api([
    { name: "example.com", plan: "free" },
    { name: "example.org", plan: "free" },
  ]);
  const group = (name: string) => ({ id: permissionGroups.find((each) => each.name === name)?.id });
  const policy = {
    effect: "allow",
    permission_groups: [group("Zone Read"), group("SSL and Certificates Write")],
    resources: { [`com.cloudflare.api.account.zone.${api.zone()}`]: "*" },
  };
  const made = await api.call("POST", "/user/tokens", { name: "zone", policies: [policy] });
  const headers = { authorization: `Bearer ${String(made.result["value"])}` };
  const zones = await api.call("GET", "/zones", undefined, headers);
  expect(records(zones.body["result"]).map(({ name }) => name)).toEqual(["example.com"]);
  const request = { csr: "none", request_type: "origin-ecc", hostnames: ["example.com"] };
  expect((await api.call("POST", "/certificates", request, headers)).code).toBe(1102);
  const other = { ...request, hostnames: ["example.org"] };
  expect((await api.call("POST", "/certificates", other, headers)).code).toBe(1010);
  const csr = await signingRequest("example.org");
  const certificate = await api.call("POST", "/certificates", { ...other, csr });
  const path = `/certificates/${String(certificate.result["id"])}`;
  expect((await api.call("GET", "/certificates", undefined, headers)).body["result"]).toEqual([]);
  for (const method of ["GET", "DELETE"] as const) {
    expect((await api.call(method, path, undefined, headers)).code).toBe(1101);
  }
  expect((await api.call("GET", path)).status).toBe(200);
});

describe("DNS records", () => {
  test("a record comes back whole, and its times move only when it changes", async () => {
    const api = new Api();
    const path = `/zones/${api.zone()}/dns_records`;
    const { result } = await api.call("POST", path, { ...a("192.0.2.1", "www"), ttl: 300 });
    expect(result).toMatchObject({
      name: "www.example.com",
      ttl: 1,
      proxied: true,
      proxiable: true,
      tags: [],
      settings: {},
      meta: {},
      comment: null,
    });
    api.now = new Date("2026-02-02T00:00:00Z");
    const same = await api.call("PUT", `${path}/${String(result["id"])}`, a("192.0.2.1"));
    expect(same.result).toEqual(result);
    const changed = await api.call("PUT", `${path}/${String(result["id"])}`, a("192.0.2.2"));
    expect(changed.result["modified_on"]).toBe("2026-02-02T00:00:00.000000Z");
    expect(changed.result["created_on"]).toBe(result["created_on"]);
  });

  test.each([
    [a("192.0.2.300"), 9005],
    [{ ...a("192.0.2.1"), type: "TXT", content: "x" }, 9004],
    [{ ...a("192.0.2.1"), proxied: false, ttl: 5 }, 9021],
    [{ type: "MX", name: "@", content: "mail.example.com", ttl: 1 }, 9102],
    [a("192.0.2.1", "a..b"), 9000],
  ])("%j is refused", async (record, code) => {
    const api = new Api();
    const answer = await api.call("POST", `/zones/${api.zone()}/dns_records`, record);
    expect([answer.status, answer.code]).toEqual([400, code]);
  });

  test("records that exclude each other are refused", async () => {
    const api = new Api();
    const path = `/zones/${api.zone()}/dns_records`;
    await api.call("POST", path, a("192.0.2.1"));
    expect((await api.call("POST", path, a("192.0.2.1"))).code).toBe(81_058);
    expect((await api.call("POST", path, { type: "CNAME", name: "www", content: "x.example.org", ttl: 1 })).code).toBe(
      81_053,
    );
    expect((await api.call("POST", path, a("192.0.2.2"))).status).toBe(200);
  });
});

describe("rulesets", () => {
  test("a phase has one entry point", async () => {
    const api = new Api();
    const path = `/zones/${api.zone()}/rulesets`;
    await api.call("POST", path, waf(block("one")));
    const second = await api.call("POST", path, waf(block("two")));
    expect([second.status, second.code]).toEqual([400, 20_217]);
    expect(records(second.body["errors"])[0]?.["source"]).toEqual({ pointer: "/kind" });
  });

  test("a rule keeps its id as long as its ref stays, unless the quirk is on", async () => {
    const api = new Api();
    const path = `/zones/${api.zone()}/rulesets`;
    const made = await api.call("POST", path, waf(block("one"), block("two")));
    const ids = (answer: { readonly result: Readonly<Record<string, unknown>> }) =>
      Object.fromEntries(records(answer.result["rules"]).map(({ ref, id }) => [String(ref), id]));
    const one = `${path}/${String(made.result["id"])}`;
    const moved = await api.call("PUT", one, waf(block("two"), block("new"), block("one", `http.host eq "x"`)));
    expect(moved.result["version"]).toBe("2");
    expect({ ...ids(moved), new: undefined }).toEqual({ ...ids(made), new: undefined });
    setQuirk(api.store, "ruleset.new-rule-ids", true);
    expect(ids(await api.call("PUT", one, waf(block("one"), block("two"))))).not.toEqual(ids(made));
  });

  test.each([
    ["an expression that cannot be read", block("a", "http.nothing eq 1"), "unknown field http.nothing"],
    ["regular expressions on a small plan", block("a", `http.host matches "x"`), "Matches is not allowed"],
    ["an answer of one's own on a free plan", { ...block("a"), action_parameters: { response: {} } }, "not entitled"],
    [
      "logging on a rule that blocks",
      { ...block("a"), logging: { enabled: true } },
      "only allowed with the action skip",
    ],
  ])("%s is refused", async (_what, rule, message) => {
    const api = new Api();
    const answer = await api.call("POST", `/zones/${api.zone()}/rulesets`, waf(rule));
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body["errors"])).toContain(message);
  });

  test("a plan's number of rules is a limit", async () => {
    const api = new Api();
    const six = ["a", "b", "c", "d", "e", "f"].map((ref) => block(ref));
    expect((await api.call("POST", `/zones/${api.zone()}/rulesets`, waf(...six))).status).toBe(400);
    expect((await api.call("POST", `/zones/${api.zone()}/rulesets`, waf(...six.slice(1)))).status).toBe(200);
  });
});

describe("rate limits", () => {
  const limit = (more: Readonly<Record<string, unknown>> = {}, expression = `http.request.uri.path eq "/login"`) => ({
    name: "limits",
    kind: "zone",
    phase: "http_ratelimit",
    rules: [
      {
        action: "block",
        expression,
        ratelimit: {
          ...{ characteristics: ["cf.colo.id", "ip.src"], period: 10, requests_per_period: 5, mitigation_timeout: 10 },
          ...more,
        },
      },
    ],
  });
  const post = async (plan: Plan, ruleset: Readonly<Record<string, unknown>>) => {
    const api = new Api([{ name: "example.com", plan }]);
    return JSON.stringify((await api.call("POST", `/zones/${api.zone()}/rulesets`, ruleset)).body["errors"]);
  };

  test.each<[Plan, Readonly<Record<string, unknown>>, string]>([
    ["free", limit(), "[]"],
    ["free", limit({ period: 60 }), "not entitled to use the period 60"],
    ["pro", limit({ period: 60, mitigation_timeout: 3600 }), "[]"],
    ["pro", limit({ period: 120 }), "not entitled to use the period 120"],
    ["business", limit({ period: 600, mitigation_timeout: 86_400 }), "[]"],
    ["business", limit({ period: 11 }), "not entitled to use the period 11"],
    ["free", limit({}, `http.host eq "x"`), "not entitled to use the field http.host"],
    ["pro", limit({}, `http.host eq "x"`), "[]"],
    ["pro", limit({}, `http.request.method eq "POST"`), "not entitled to use the field http.request.method"],
    ["business", limit({}, `http.request.method eq "POST"`), "[]"],
    ["business", limit({ mitigation_timeout: 0 }), "cannot be 0 for the action block"],
    ["pro", limit({ counting_expression: "ssl" }), "not entitled to use a counting expression"],
    [
      "pro",
      limit({ characteristics: ["cf.colo.id", "cf.unique_visitor_id"] }),
      "not entitled to use the characteristic",
    ],
    ["enterprise", limit({ mitigation_timeout: 0, characteristics: ["cf.colo.id", "http.host"] }), "[]"],
  ])("on plan %s: %j", async (plan, ruleset, expected) => {
    expect(await post(plan, ruleset)).toContain(expected);
  });
});

test("a plan is changed by a subscription, and what it does not have of the bot settings is shown apart", async () => {
  const api = new Api();
  const zone = `/zones/${api.zone()}`;
  await api.call("PUT", `${zone}/bot_management`, { fight_mode: true });
  expect((await api.call("GET", zone)).result["plan"]).toMatchObject({ legacy_id: "free" });
  expect((await api.call("PUT", `${zone}/subscription`, { rate_plan: { id: "gold" } })).status).toBe(400);
  await api.call("PUT", `${zone}/subscription`, { rate_plan: { id: "pro" } });
  expect((await api.call("GET", zone)).result["plan"]).toMatchObject({ legacy_id: "pro" });
  expect((await api.call("GET", `${zone}/subscription`)).result).toMatchObject({ rate_plan: { id: "pro" }, price: 20 });
  const bots = (await api.call("GET", `${zone}/bot_management`)).result;
  expect(bots).toMatchObject({ sbfm_verified_bots: "allow", stale_zone_configuration: { fight_mode: true } });
  expect(bots).not.toHaveProperty("fight_mode");
  // A cloud that starts again keeps what was bought.
  api.world.seed([{ name: "example.com", plan: "free" }]);
  expect((await api.call("GET", zone)).result["plan"]).toMatchObject({ legacy_id: "pro" });
  // One that is told of another plan than before has that.
  api.world.seed([{ name: "example.com", plan: "business" }]);
  expect((await api.call("GET", zone)).result["plan"]).toMatchObject({ legacy_id: "business" });
  await api.call("PUT", `${zone}/subscription`, { rate_plan: { id: "free" } });
  api.world.seed([{ name: "example.com", plan: "business" }]);
  expect((await api.call("GET", zone)).result["plan"]).toMatchObject({ legacy_id: "free" });
});

test("a setting that the plan does not have is read, and not set", async () => {
  const api = new Api();
  const path = `/zones/${api.zone()}/settings/polish`;
  expect((await api.call("GET", path)).result).toMatchObject({ value: "off", editable: false });
  expect((await api.call("PATCH", path, { value: "lossy" })).code).toBe(1015);
});

test("a pool in use is not deleted", async () => {
  const api = new Api();
  const pools = `/accounts/${accountId}/load_balancers/pools`;
  const pool = await api.call("POST", pools, { name: "p", origins: [{ name: "o", address: "192.0.2.1" }] });
  const id = String(pool.result["id"]);
  await api.call("POST", `/zones/${api.zone()}/load_balancers`, {
    name: "lb.example.com",
    default_pools: [id],
    fallback_pool: id,
  });
  const { status, code } = await api.call("DELETE", `${pools}/${id}`);
  expect([status, code]).toEqual([412, 1005]);
});
