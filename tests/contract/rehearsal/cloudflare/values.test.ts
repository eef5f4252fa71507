/**
 * Every property of every body that the real API's document knows: a value that it does not allow is refused. A client whose
 * value is kept, or left out without a word, believes that it counts.
 */
import { isRecord } from "../../../../common/record.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { permissionGroups } from "../../../../rehearsal/cloudflare/permissions.ts";
import { accountId, Api, specification } from "../support/api.ts";
import { ownCertificate, signingRequest } from "../support/certificate.ts";

jest.setTimeout(120_000);
const whereSpecified = specification ? test : test.skip;
const account = `/accounts/${accountId}`;
type Body = Readonly<Record<string, unknown>>;

let certificate: Awaited<ReturnType<typeof ownCertificate>>;
let csr: string;
beforeAll(async () => {
  certificate = await ownCertificate("pull.example.com");
  csr = await signingRequest("example.com");
});

const managed = "efb7b8c949ac4650a09736fc376e9aee";
/** A rule of each action with parameters, and its phase. */
const rules: readonly (readonly [phase: string, action: string, parameters: Body, ...others: readonly string[]])[] = [
  [
    "http_request_firewall_custom",
    "block",
    { response: { content: "no", content_type: "text/plain", status_code: 403 } },
  ],
  ["http_request_firewall_custom", "skip", { ruleset: "current" }, "phases", "products", "rules", "rulesets"],
  ["http_request_firewall_managed", "execute", { id: managed }, "matched_data", "overrides"],
  ["http_response_compression", "compress_response", { algorithms: [{ name: "gzip" }] }],
  [
    "http_request_dynamic_redirect",
    "redirect",
    { from_list: { key: "http.request.full_uri", name: "moved" } },
    "from_value",
  ],
  ["http_request_transform", "rewrite", { uri: { path: { value: "/" } } }, "headers"],
  ["http_request_origin", "route", { host_header: "www.example.com" }, "origin", "sni"],
  [
    ...(["http_custom_errors", "serve_error"] as const),
    { content: "gone", content_type: "text/plain", status_code: 500 },
  ],
  [
    ...(["http_config_settings", "set_config", { bic: true }] as const),
    ...["autominify", "ssl", "polish", "fonts", "mirage", "sxg", "security_level", "rocket_loader", "disable_rum"],
  ],
  ["http_request_cache_settings", "set_cache_settings", { cache: true }],
];

/** A rule of the action that a place in a body belongs to. */
function ruleFor(place: readonly string[]) {
  // All phases have rules with the other properties; only those that skip something have `logging`.
  const property = place.includes("action_parameters") ? place[place.indexOf("action_parameters") + 1] : "ruleset";
  const found = rules.find(
    ([, , parameters, ...others]) => property !== undefined && (property in parameters || others.includes(property)),
  );
  const [phase = "", action = "", action_parameters = {}] = found ?? rules.at(-1) ?? [];
  return { phase, rule: { action, expression: "true", action_parameters } };
}

/** An account with one of everything, and what a call of each route sends. */
class Full {
  readonly api = new Api([{ name: "example.com", plan: "enterprise" }]);
  readonly #zone = `/zones/${this.api.zone()}`;
  #ids: Readonly<Record<string, string>> = {};
  /** Bodies that are right, by a part of the route that has them. */
  #bodies: readonly (readonly [part: string, body: Body])[] = [];

  static async make(): Promise<Full> {
    const full = new Full();
    await full.#fill();
    return full;
  }

  async #fill(): Promise<void> {
    const made = async (path: string, body: object) => {
      const { status, result, body: answer } = await this.api.call("POST", path, { ...body });
      if (status >= 300) throw new Error(`POST ${path}: ${JSON.stringify(answer)}`);
      return String(result["id"]);
    };
    const record = { type: "A", name: "www.example.com", content: "192.0.2.1", ttl: 1 };
    const pool = { name: "other", origins: [{ name: "a", address: "192.0.2.1" }] };
    const monitor = { type: "https", path: "/health", expected_codes: "2xx" };
    const id = permissionGroups.find(({ name }) => name === "DNS Read")?.id;
    const resources = { [`com.cloudflare.api.account.zone.${this.api.zone()}`]: "*" };
    const token = { name: "dns", policies: [{ effect: "allow", permission_groups: [{ id }], resources }] };
    const pull = { certificate: certificate.certificate, private_key: certificate.privateKey };
    const ids: Record<string, string> = { zone: this.api.zone(), account: accountId, setting: "websockets" };
    ids["record"] = await made(`${this.#zone}/dns_records`, { ...record, name: "taken.example.com" });
    ids["pool"] = await made(`${account}/load_balancers/pools`, { ...pool, name: "pool" });
    ids["monitor"] = await made(`${account}/load_balancers/monitors`, monitor);
    const balancer = { name: "lb.example.com", default_pools: [ids["pool"]], fallback_pool: ids["pool"] };
    ids["balancer"] = await made(`${this.#zone}/load_balancers`, balancer);
    ids["token"] = await made("/user/tokens", token);
    const cert = await made(`${this.#zone}/origin_tls_client_auth`, pull);
    this.#ids = ids;
    this.#bodies = [
      ["dns_records", record],
      ["load_balancers/pools", pool],
      ["load_balancers/monitors", monitor],
      ["load_balancers", { ...balancer, name: "second.example.com" }],
      ["tokens", token],
      ["hostnames", { config: [{ hostname: "www.example.com", cert_id: cert, enabled: true }] }],
      ["origin_tls_client_auth/settings", { enabled: true }],
      ["origin_tls_client_auth", pull],
      ["certificates", { csr, hostnames: ["example.com"], request_type: "origin-ecc" }],
      ["subscription", { rate_plan: { id: "enterprise" } }],
      ["r2/buckets", { name: "files" }],
      ["bot_management", { enable_js: true }],
      ["", { value: "on" }],
    ];
  }

  /** Sends the right body of a route, or one with a value that is not. */
  async send(method: string, route: string, place: readonly string[] = [], value?: unknown) {
    const { phase, rule } = ruleFor(place);
    const [, usual = {}] = this.#bodies.find(([part]) => route.includes(part)) ?? [];
    const ids: Record<string, string> = { ...this.#ids, phase };
    const isRule = route.includes("/rules");
    let body: Body = usual;
    if (isRule) {
      const phases = `${this.#zone}/rulesets/phases/${phase}/entrypoint`;
      const { result } = await this.api.call("PUT", phases, { rules: [rule] });
      ids["ruleset"] = String(result["id"]);
      ids["rule"] = String(records(result["rules"])[0]?.["id"]);
      if (method === "POST" && route.endsWith("/rulesets")) {
        await this.api.call("DELETE", `${this.#zone}/rulesets/${ids["ruleset"]}`);
        body = { name: "new", kind: "zone", phase, rules: [rule] };
      } else {
        body = route.includes("/rules/") || route.endsWith("/rules") ? rule : { rules: [rule] };
      }
    }
    const item = ids[/pools|monitors/.exec(route)?.[0].slice(0, -1) ?? "balancer"];
    const path = route.replace(/:(\w+)/g, (_, name: string) => (name === "item" ? item : ids[name]) ?? "0".repeat(32));
    return this.api.call(method as "POST", path, place.length === 0 ? body : (spoilt(body, place, value) as Body));
  }
}

/** The body with something at a place that cannot be there; lists and objects on the way are made. */
function spoilt(body: unknown, [key = "", ...rest]: readonly string[], value: unknown): unknown {
  if (key === "*") {
    const [head, ...others] = Array.isArray(body) ? (body as unknown[]) : [];
    return [rest.length === 0 ? value : spoilt(head, rest, value), ...others];
  }
  const own = isRecord(body) ? body : {};
  return { ...own, [key]: rest.length === 0 ? value : spoilt(own[key], rest, value) };
}

/** Values that are taken though the document does not have them. */
const taken: readonly RegExp[] = [
  // It writes the empty string with its quotation marks.
  /(steering_policy|session_affinity) ""$/,
  // Read only, and of no fixed form.
  /dns_records.* meta\.\w+ /,
];

const writesOf = ({ routes }: Api) =>
  routes.filter(([method, route]) => ["POST", "PUT", "PATCH"].includes(method) && specification?.has(method, route));

whereSpecified("the right body of every call is taken", async () => {
  for (const [method, route] of writesOf(new Api())) {
    const full = await Full.make();
    const { status, body } = await full.send(method, route);
    expect([method, route, status, body["errors"]]).toEqual([method, route, 200, []]);
  }
});

whereSpecified("a value that the document does not allow is refused, at every call", async () => {
  let full = await Full.make();
  const wrongly: string[] = [];
  let count = 0;
  for (const [method, route] of writesOf(full.api)) {
    for (const { place, wrong } of specification?.properties(method, route) ?? []) {
      for (const value of wrong) {
        const what = `${method} ${route} ${place.join(".")} ${JSON.stringify(value).slice(0, 40)}`;
        if (taken.some((pattern) => pattern.test(what))) continue;
        count++;
        const { status } = await full.send(method, route, place, value);
        if (status >= 400) continue;
        wrongly.push(what);
        full = await Full.make();
      }
    }
  }
  expect(count).toBeGreaterThan(3000);
  expect(wrongly).toEqual([]);
});

describe("values that only fit together with others", () => {
  const custom = "http_request_firewall_custom";
  const cache = "http_request_cache_settings";
  const caching = (parameters: Body) => ({ action: "set_cache_settings", action_parameters: parameters });

  test.each<[what: string, plan: "free" | "enterprise", phase: string, rule: Body, answer: string]>([
    [
      "a mode without seconds",
      "free",
      cache,
      caching({ edge_ttl: { mode: "override_origin" } }),
      "default is required",
    ],
    [
      ...(["seconds that do not count", "free", cache] as const),
      caching({ edge_ttl: { mode: "respect_origin", default: 60 } }),
      "default is useless in respect_origin mode",
    ],
    [
      ...(["seconds without a mode", "enterprise", cache] as const),
      caching({ browser_ttl: { default: 60 } }),
      "mode is required",
    ],
    ["a rule that sets nothing", "free", cache, caching({}), "action_parameters is required"],
    ["nothing to skip", "free", custom, { action: "skip" }, "action_parameters is required"],
    ["an action of a higher plan", "free", custom, { action: "log" }, "not entitled to use the action log"],
    [
      ...(["two new values at once", "free", "http_request_transform"] as const),
      { action: "rewrite", action_parameters: { uri: { path: { value: "/", expression: "http.host" } } } },
      "either a value or an expression",
    ],
    [
      ...(["a header that is set to nothing", "free", "http_request_transform"] as const),
      { action: "rewrite", action_parameters: { headers: { "x-a": { operation: "set" } } } },
      "a value or an expression to set",
    ],
    [
      ...(["scores, which the edge does not count", "enterprise", "http_ratelimit"] as const),
      { action: "block", ratelimit: { score_per_period: 5, characteristics: ["cf.colo.id"], period: 10 } },
      "score_per_period",
    ],
  ])("%s, on plan %s in %s", async (_, plan, phase, rule, answer) => {
    const api = new Api([{ name: "example.com", plan }]);
    const path = `/zones/${api.zone()}/rulesets/phases/${phase}/entrypoint`;
    const { status, body } = await api.call("PUT", path, { rules: [{ expression: "true", ...rule }] });
    expect([status >= 400, JSON.stringify(body["errors"])]).toEqual([true, expect.stringContaining(answer)]);
  });

  test("what a header can become is taken", async () => {
    const api = new Api([{ name: "example.com", plan: "free" }]);
    const path = `/zones/${api.zone()}/rulesets/phases/http_request_transform/entrypoint`;
    const headers = { a: { operation: "set", value: "1" }, b: { operation: "set", expression: "http.host" } };
    const parameters = { headers: { ...headers, c: { operation: "remove", value: null } } };
    const rule = { action: "rewrite", expression: "true", action_parameters: parameters };
    expect((await api.call("PUT", path, { rules: [rule] })).status).toBe(200);
  });

  test("a CNAME record that refers to itself", async () => {
    const api = new Api();
    const path = `/zones/${api.zone()}/dns_records`;
    const { status, code } = await api.call("POST", path, {
      type: "CNAME",
      name: "loop",
      content: "Loop.example.com.",
    });
    expect([status, code]).toEqual([400, 9039]);
  });

  test.each([
    ["pro", 200, 400],
    ["business", 200, 200],
    ["business", 500, 400],
    ["enterprise", 500, 200],
  ] as const)("on plan %s, uploads of %d MB: %d", async (plan, value, expected) => {
    const api = new Api([{ name: "example.com", plan }]);
    const { status } = await api.call("PATCH", `/zones/${api.zone()}/settings/max_upload`, { value });
    expect(status).toBe(expected);
  });

  test("development mode ends after three hours", async () => {
    const api = new Api();
    const path = `/zones/${api.zone()}/settings/development_mode`;
    const left = async () => (await api.call("GET", path)).result;
    expect((await api.call("PATCH", path, { value: "on" })).result).toMatchObject({
      value: "on",
      time_remaining: 10_800,
    });
    api.now = new Date(api.now.getTime() + 3_600_000);
    expect(await left()).toMatchObject({ value: "on", time_remaining: 7200 });
    api.now = new Date(api.now.getTime() + 7_200_000);
    expect(await left()).toMatchObject({ value: "off", time_remaining: 0 });
  });

  test("every pool that a load balancer steers to exists, and stays", async () => {
    const api = new Api();
    const made = async (name: string) => {
      const pool = { name, origins: [{ name: "a", address: "192.0.2.1" }] };
      return String((await api.call("POST", `${account}/load_balancers/pools`, pool)).result["id"]);
    };
    const [first, second] = [await made("first"), await made("second")];
    const balancer = { name: "lb.example.com", default_pools: [first], fallback_pool: first };
    const make = (more: Body) => api.call("POST", `/zones/${api.zone()}/load_balancers`, { ...balancer, ...more });
    expect((await make({ region_pools: { WEU: ["none"] } })).code).toBe(1002);
    expect((await make({ rules: [{ name: "a", overrides: { default_pools: ["none"] } }] })).code).toBe(1002);
    expect((await make({ region_pools: { WEU: [second] } })).status).toBe(200);
    expect((await api.call("DELETE", `${account}/load_balancers/pools/${second}`)).status).toBe(412);
  });
});

describe("what the provider of Terraform sends", () => {
  test.each<[what: string, phase: string, rule: Body]>([
    [
      "the ruleset against floods",
      "ddos_l7",
      { action: "execute", action_parameters: { id: "4d21379b4f9f4bb088e0729962c8b3cf" } },
    ],
    [
      ...(["a limit without a time-out", "http_ratelimit"] as const),
      {
        action: "block",
        ratelimit: { characteristics: ["cf.colo.id", "ip.src"], period: 60, requests_per_period: 100 },
      },
    ],
  ])("%s is taken", async (_, phase, rule) => {
    const api = new Api([{ name: "example.com", plan: "enterprise" }]);
    const path = `/zones/${api.zone()}/rulesets/phases/${phase}/entrypoint`;
    const { status, body } = await api.call("PUT", path, { rules: [{ expression: "true", ...rule }] });
    expect([status, body["errors"]]).toEqual([200, []]);
  });

  test("a limit without a time-out is given back with none", async () => {
    const api = new Api([{ name: "example.com", plan: "enterprise" }]);
    const path = `/zones/${api.zone()}/rulesets/phases/http_ratelimit/entrypoint`;
    const ratelimit = { characteristics: ["cf.colo.id"], period: 60, requests_per_period: 100 };
    const { result } = await api.call("PUT", path, { rules: [{ action: "block", expression: "true", ratelimit }] });
    expect(result["rules"]).toEqual([expect.objectContaining({ ratelimit: { ...ratelimit, mitigation_timeout: 0 } })]);
  });

  test("an origin with `flatten_cname` is kept", async () => {
    const origins = [{ name: "a", address: "192.0.2.1", flatten_cname: true }];
    const { status, result } = await new Api().call("POST", `${account}/load_balancers/pools`, { name: "p", origins });
    expect([status, result["origins"]]).toEqual([200, [expect.objectContaining({ flatten_cname: true })]]);
  });
});
