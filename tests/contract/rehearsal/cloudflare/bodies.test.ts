/** Bodies of requests: how clients send them, and what becomes of the values in them. */
import { isRecord } from "../../../../common/record.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { permissionGroups } from "../../../../rehearsal/cloudflare/permissions.ts";
import { accountId, type Answer, Api, ownerToken } from "../support/api.ts";

let api: Api;
let dns: string;
beforeEach(() => {
  api = new Api([{ name: "example.com", plan: "enterprise" }]);
  dns = `/zones/${api.zone()}/dns_records`;
});

/** A request as it is, with whatever type its body has. */
async function send(method: string, path: string, type: string | undefined, body?: string) {
  const response = await fetch(`${await api.base}/client/v4${path}`, {
    method,
    headers: { authorization: `Bearer ${ownerToken}`, ...(type !== undefined && { "content-type": type }) },
    ...(body !== undefined && { body: new TextEncoder().encode(body) }),
  });
  const answer: unknown = await response.json();
  return { status: response.status, answer: isRecord(answer) ? answer : {}, text: JSON.stringify(answer) };
}
const make = async (record: object): Promise<string> => {
  const { result, body } = await api.call("POST", dns, { ttl: 1, ...record });
  if (typeof result["id"] !== "string") throw new Error(JSON.stringify(body));
  return result["id"];
};
const www = { type: "A", name: "www.example.com", content: "192.0.2.1" };

test.each(["application/json", "text/plain"])("a DELETE of type %s without a body is taken", async (type) => {
  const id = await make(www);
  expect(await send("DELETE", `${dns}/${id}`, type)).toMatchObject({ status: 200, answer: { result: { id } } });
});

test.each(["text/plain;charset=UTF-8", "application/x-www-form-urlencoded", undefined])(
  "JSON of type %s is read as JSON",
  async (type) => {
    expect(await send("POST", dns, type, JSON.stringify({ ...www, ttl: 300 }))).toMatchObject({
      status: 200,
      answer: { result: { ...www, ttl: 300 } },
    });
  },
);

test.each([["name=www"], ["[]"], ['"text"'], ['{"name":'], ['{"__proto__":{"type":"A"}}']])(
  "the body %s changes nothing and is refused",
  async (body) => {
    const id = await make(www);
    const { status, answer, text } = await send("PATCH", `${dns}/${id}`, "application/json", body);
    expect([status, text]).toEqual([400, expect.stringContaining('"code":6007')]);
    expect(answer["success"]).toBe(false);
  },
);

test.each([
  [{ proxied: "true" }, "proxied"],
  [{ comment: 5 }, "comment"],
  [{ tags: "team:shop" }, "tags"],
  [{ settings: true }, "settings"],
  [{ settings: { flatten_cname: "yes" } }, "settings.flatten_cname"],
  [{ ttl: 60.5 }, "TTL"],
  [{ comment: "c".repeat(501) }, "500 characters"],
  [{ tags: ["no tag"] }, "<name>:<value>"],
])("the value in %j would be left out, and is refused", async (more, name) => {
  const { status, body } = await api.call("POST", dns, { ...www, ...more });
  expect([status, JSON.stringify(body["errors"])]).toEqual([400, expect.stringContaining(name)]);
});

test.each([
  [{ private_routing: true }, "private_routing"],
  [{ settings: { nothing: true } }, "settings.nothing"],
  [{ type: "SRV", data: { weight: 1, port: 2, target: "a.example.com", proto: "_tcp" } }, "data.proto"],
])("%j is not emulated, and named", async (more, name) => {
  const { status, body } = await api.call("POST", dns, { ...www, ...more });
  expect([status, JSON.stringify(body["errors"])]).toEqual([501, expect.stringContaining(name)]);
});

test("the former fields of a SRV record's name are taken where they repeat it, and not kept", async () => {
  const data = { priority: 1, weight: 2, port: 5060, target: "sip.example.com" };
  const srv = { type: "SRV", name: "_sip._tcp.sub.example.com", ttl: 1 };
  const named = { ...data, service: "_sip", proto: "_tcp", name: "sub" };
  expect((await api.call("POST", dns, { ...srv, data: named })).result["data"]).toEqual(data);
  const { status, body } = await api.call("POST", dns, { ...srv, data: { ...named, name: "other" } });
  expect([status, JSON.stringify(body["errors"])]).toEqual([501, expect.stringContaining("data.service")]);
});

test("a free plan has no tags and short comments", async () => {
  api = new Api();
  dns = `/zones/${api.zone()}/dns_records`;
  expect((await api.call("POST", dns, { ...www, tags: ["team:shop"] })).code).toBe(9300);
  expect((await api.call("POST", dns, { ...www, comment: "c".repeat(101) })).status).toBe(400);
  expect((await api.call("POST", dns, { ...www, tags: [], comment: "c".repeat(100) })).status).toBe(200);
});

test("a record that was read can be sent back", async () => {
  const path = `${dns}/${await make({ ...www, comment: "c", tags: ["team:shop"] })}`;
  const { result } = await api.call("GET", path);
  expect((await api.call("PUT", path, { ...result, content: "192.0.2.9" })).result["content"]).toBe("192.0.2.9");
});

const place = {
  ...{ precision_vert: 0, precision_horz: 0, size: 100, altitude: 0 },
  ...{ long_direction: "W", long_seconds: 35, long_minutes: 23, long_degrees: 122 },
  ...{ lat_direction: "N", lat_seconds: 46, lat_minutes: 46, lat_degrees: 37 },
};
const pointer = { replacement: "_sip._udp.example.com.", regex: "!^.*$!sip:\\1@example.com!", service: "SIP+D2U" };

// The order of the keys is another one than that of the record's parts.
test.each<[string, object, string]>([
  ["LOC", place, "37 46 46.000 N 122 23 35.000 W 0.00 100.00 0.00 0.00"],
  [
    "LOC",
    { long_degrees: 4, long_direction: "E", lat_degrees: 52.0, lat_direction: "N", altitude: -2 },
    "52 0 0.000 N 4 0 0.000 E -2.00 0.00 0.00 0.00",
  ],
  [
    "NAPTR",
    { ...pointer, flags: "S", preference: 100, order: 10 },
    '10 100 "S" "SIP+D2U" "!^.*$!sip:\\1@example.com!" _sip._udp.example.com.',
  ],
  ["NAPTR", { replacement: ".", flags: "U", preference: 1, order: 2 }, '2 1 "U" "" "" .'],
  ["CERT", { certificate: "MIIB", algorithm: 8, key_tag: 2, type: 9 }, "9 2 8 MIIB"],
  ["DNSKEY", { public_key: "AQPS", algorithm: 5, protocol: 3, flags: 257 }, "257 3 5 AQPS"],
  ["DS", { digest: "AB12", digest_type: 2, algorithm: 13, key_tag: 42 }, "42 13 2 AB12"],
  ["SMIMEA", { certificate: "ab12", matching_type: 1, selector: 0, usage: 3 }, "3 0 1 ab12"],
  ["CAA", { value: "letsencrypt.org", tag: "issue", flags: 0 }, '0 issue "letsencrypt.org"'],
])("a %s record of the data %j", async (type, data, content) => {
  const { status, result } = await api.call("POST", dns, { type, name: "x", ttl: 300, data });
  expect([status, result["content"], result["data"]]).toEqual([200, content, data]);
});

test.each<[string, object, string]>([
  ["LOC", { ...place, lat_direction: "E" }, "data.lat_direction"],
  ["LOC", { ...place, long_degrees: 181 }, "data.long_degrees"],
  ["LOC", { ...place, lat_degrees: undefined }, "data.lat_degrees"],
  ["NAPTR", { ...pointer, flags: "S", order: 10 }, "data.preference"],
  ["TXT", { text: "x" }, "TXT"],
  ["CAA", { flags: 1000, tag: "issue", value: "x" }, "data.flags"],
  ["SRV", { priority: 1, weight: -2, port: 443, target: "x" }, "data.weight"],
  ["SRV", { priority: 1, weight: 2, port: 70_000, target: "x" }, "data.port"],
  ["TLSA", { usage: 256, selector: 0, matching_type: 1, certificate: "ab" }, "data.usage"],
])("a %s record of the data %j is refused, and the field named", async (type, data, name) => {
  const { status, body } = await api.call("POST", dns, { type, name: "x", ttl: 300, data });
  expect([status, JSON.stringify(body["errors"])]).toEqual([400, expect.stringContaining(name)]);
});

test("a domain says that it takes no mail", async () => {
  const { status, result } = await api.call("POST", dns, { type: "MX", name: "@", content: ".", priority: 0, ttl: 1 });
  expect([status, result["content"], result["priority"]]).toEqual([200, ".", 0]);
  expect((await api.call("POST", dns, { type: "NS", name: "a", content: ".", ttl: 1 })).status).toBe(400);
});

test.each([
  ["2001:DB8:0:0::1", "2001:db8::1"],
  ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
  ["::", "::"],
])("the address %s is kept as %s, so that it is the same record", async (sent, kept) => {
  const record = { type: "AAAA", name: "www", content: sent, ttl: 1 };
  expect((await api.call("POST", dns, record)).result["content"]).toBe(kept);
  expect((await api.call("POST", dns, { ...record, content: kept })).code).toBe(81_058);
});

test.each<[string, unknown, number]>([
  ["browser_cache_ttl", 17, 400],
  ["browser_cache_ttl", 14_400, 200],
  ["browser_cache_ttl", "14400", 400],
  ["challenge_ttl", 17, 400],
  ["challenge_ttl", 2700, 200],
  ["max_upload", 101, 400],
  ["max_upload", 200, 200],
  ["ciphers", ["ECDHE-RSA-AES128-GCM-SHA256"], 200],
  ["ciphers", ["ROT13"], 400],
  ["ciphers", [], 200],
  ["nel", { enabled: false }, 200],
  ["nel", { on: true }, 400],
  ["proxy_read_timeout", 300, 200],
  ["proxy_read_timeout", 6001, 400],
  ["security_header", { strict_transport_security: { enabled: true, max_age: 86_400 } }, 200],
  ["security_header", { strict_transport_security: { enabled: "on" } }, 400],
  ["security_header", { hsts: true }, 400],
])("the setting %s with the value %j", async (name, value, expected) => {
  const { status, body } = await api.call("PATCH", `/zones/${api.zone()}/settings/${name}`, { value });
  expect(status).toBe(expected);
  if (expected === 400) expect(JSON.stringify(body["errors"])).toContain(`Invalid value for zone setting ${name}`);
});

const group = (name: string) => ({ id: permissionGroups.find((each) => each.name === name)?.id });
const tokenOf = (more: object, resources: object = { [`com.cloudflare.api.account.zone.${api.zone()}`]: "*" }) => ({
  ...{ name: "t", policies: [{ effect: "allow", permission_groups: [group("DNS Read")], resources }] },
  ...more,
});

test.each([
  [{ in: ["127.0.0.0/8"] }, 200],
  [{ in: ["127.0.0.1", "2001:db8::/32"] }, 200],
  [{ in: ["192.0.2.0/24"] }, 403],
  [{ not_in: ["127.0.0.1/32"] }, 403],
  [{ in: ["127.0.0.0/8"], not_in: ["127.0.0.1"] }, 403],
  [{ in: [], not_in: [] }, 200],
])("a token with the condition %j on addresses answers %s", async (from, status) => {
  const { result } = await api.call("POST", "/user/tokens", tokenOf({ condition: { request_ip: from } }));
  const answer = await api.call("GET", dns, undefined, { authorization: `Bearer ${String(result["value"])}` });
  expect([answer.status, answer.code]).toEqual([status, status === 200 ? undefined : 9109]);
});

test.each<[object, object | undefined, string]>([
  [{ condition: { request_ip: { in: ["127.0.0.1/33"] } } }, undefined, "127.0.0.1/33"],
  [{ condition: { request_ip: { from: [] } } }, undefined, "condition.request_ip.from"],
  [{ condition: { country: "DE" } }, undefined, "condition.country"],
  [{ expires_on: "2025-12-31T00:00:00Z" }, undefined, "expires_on"],
  [{}, { nonsense: "*" }, "nonsense"],
])("a token with %j, for %j, is refused", async (more, resources, name) => {
  const { status, body } = await api.call("POST", "/user/tokens", tokenOf(more, resources));
  expect(status).toBeGreaterThanOrEqual(400);
  expect(JSON.stringify(body["errors"])).toContain(name);
});

test("a rule goes where a client wants it", async () => {
  const rule = (name: string) => ({ action: "block", expression: `http.host eq "${name}"`, description: name });
  const made = await api.call("POST", `/zones/${api.zone()}/rulesets`, {
    ...{ kind: "zone", name: "waf", phase: "http_request_firewall_custom", rules: [rule("a"), rule("b")] },
  });
  const path = `/zones/${api.zone()}/rulesets/${String(made.result["id"])}/rules`;
  const names = (answer: Answer): unknown => records(answer.result["rules"]).map(({ description }) => description);
  const [a, b] = records(made.result["rules"]).map(({ id }) => String(id));
  const add = async (name: string, position?: object) =>
    api.call("POST", path, { ...rule(name), ...(position && { position }) });
  expect(names(await add("last"))).toEqual(["a", "b", "last"]);
  expect(names(await add("second", { index: 2 }))).toEqual(["a", "second", "b", "last"]);
  expect(names(await add("first", { before: "" }))).toEqual(["first", "a", "second", "b", "last"]);
  expect(names(await add("c", { after: b }))).toEqual(["first", "a", "second", "b", "c", "last"]);
  const moved = await api.call("PATCH", `${path}/${a ?? ""}`, { position: { after: "" } });
  expect(names(moved)).toEqual(["first", "second", "b", "c", "last", "a"]);
  for (const position of [{ index: 0 }, { index: 99 }, { before: "gone" }, { top: 1 }, { index: 1, before: "" }]) {
    expect((await add("x", position)).status).toBeGreaterThanOrEqual(400);
  }
  const other = await api.call("POST", path, { ...rule("x"), skip_me: true });
  expect([other.status, JSON.stringify(other.body["errors"])]).toEqual([501, expect.stringContaining("skip_me")]);
});

test.each<["bot_management" | "r2", object, string]>([
  ["bot_management", { enable_js: "yes" }, "enable_js"],
  ["bot_management", { ai_bots_protection: "sometimes" }, "ai_bots_protection"],
  ["r2", { rules: [{ allowed: { methods: ["BOGUS"], origins: ["*"] } }] }, "BOGUS"],
])("%s does not take %j", async (what, sent, name) => {
  const buckets = `/accounts/${accountId}/r2/buckets`;
  await api.call("POST", buckets, { name: "files" });
  const path = what === "r2" ? `${buckets}/files/cors` : `/zones/${api.zone()}/bot_management`;
  const { status, body } = await api.call("PUT", path, { ...sent });
  expect([status, JSON.stringify(body["errors"])]).toEqual([400, expect.stringContaining(name)]);
});

test.each<["pools" | "monitors", object, string]>([
  ["pools", { origins: [{ name: "a", address: "192.0.2.1", weight: 7 }] }, "weight"],
  ["pools", { origins: [{ name: "a", address: "192.0.2.1", weight: 0.123 }] }, "weight"],
  ["pools", { origins: [{ name: "a", address: "192.0.2.1", port: 70_000 }] }, "port"],
  ["pools", { origins: [{ name: "a", address: "192.0.2.1" }], minimum_origins: 2 }, "minimum_origins"],
  ["monitors", { retries: 99 }, "retries"],
  ["monitors", { timeout: 0.5 }, "timeout"],
  ["monitors", { path: "health" }, "path"],
  ["monitors", { expected_codes: "good" }, "expected_codes"],
])("%s do not take %j", async (kind, sent, name) => {
  const { status, body } = await api.call("POST", `/accounts/${accountId}/load_balancers/${kind}`, {
    ...(kind === "pools" && { name: "p" }),
    ...sent,
  });
  expect([status, JSON.stringify(body["errors"])]).toEqual([400, expect.stringContaining(`for ${name}`)]);
});

test("a subscription for another time than a month is not emulated", async () => {
  const path = `/zones/${api.zone()}/subscription`;
  const yearly = await api.call("PUT", path, { rate_plan: { id: "pro" }, frequency: "yearly" });
  expect([yearly.status, JSON.stringify(yearly.body["errors"])]).toEqual([501, expect.stringContaining("yearly")]);
  expect((await api.call("GET", `/zones/${api.zone()}`)).result["plan"]).toMatchObject({ legacy_id: "enterprise" });
});

test("a bucket does not share its objects with one of the same name in another jurisdiction", async () => {
  const path = `/accounts/${accountId}/r2/buckets`;
  await api.call("POST", path, { name: "files" });
  const headers = { "cf-r2-jurisdiction": "eu" };
  const { status, body } = await api.call("POST", path, { name: "files" }, headers);
  expect([status, JSON.stringify(body["errors"])]).toEqual([501, expect.stringContaining("files")]);
  expect((await api.call("POST", path, { name: "others" }, headers)).result["jurisdiction"]).toBe("eu");
});

test("every token is told its own state, and one that has ended none", async () => {
  const made = await api.call("POST", "/user/tokens", tokenOf({ expires_on: "2026-01-02T00:00:00Z" }));
  const headers = { authorization: `Bearer ${String(made.result["value"])}` };
  const { result } = await api.call("GET", "/user/tokens/verify", undefined, headers);
  expect(result).toEqual({ id: made.result["id"], status: "active", expires_on: "2026-01-02T00:00:00Z" });
  api.now = new Date("2026-01-03T00:00:00Z");
  expect((await api.call("GET", "/user/tokens/verify", undefined, headers)).status).toBe(403);
});

test("a body of any type does not hide that a call is not emulated", async () => {
  const { status, text } = await send("POST", `${dns}/import`, "multipart/form-data; boundary=x", "--x--");
  expect([status, text]).toEqual([501, expect.stringContaining("dns_records/import is not emulated")]);
});

test("what exists at Cloudflare and not here says so by name", async () => {
  for (const path of [`${dns}/export`, `/zones/${api.zone()}/settings/minify`]) {
    const { status, headers, body } = await api.call("GET", path);
    expect([status, headers.get("x-should-retry")]).toEqual([501, "false"]);
    expect(JSON.stringify(body["errors"])).toContain(path.split("/").at(-1));
  }
});

/** Bodies of the calls whose handlers look at every property themselves, and those that need one to get that far. */
const bodies: Readonly<Record<string, object>> = {
  "POST /zones/:zone/dns_records": { ...www, ttl: 1 },
  "PUT /zones/:zone/dns_records/:record": { ...www, ttl: 1 },
  "POST /zones/:zone/rulesets/:ruleset/rules": { action: "block", expression: "true" },
};

test("a property of a body that is not honoured is refused by name, at every call", async () => {
  const record = await make({ ...www, name: "taken.example.com" });
  const rule = { action: "block", expression: "true" };
  const phase = `/zones/${api.zone()}/rulesets/phases/http_request_firewall_custom/entrypoint`;
  const { result: ruleset } = await api.call("PUT", phase, { rules: [rule] });
  const path = (route: string): string =>
    route
      .replace(":zone", api.zone())
      .replace(":account", accountId)
      .replace(":record", record)
      .replace(":ruleset", String(ruleset["id"]))
      .replace(":rule", String(records(ruleset["rules"])[0]?.["id"]))
      .replace(":setting", "ssl")
      .replaceAll(/:\w+/g, "0".repeat(32));
  const writes = api.routes.filter(([method]) => ["POST", "PUT", "PATCH"].includes(method));
  expect(writes.length).toBeGreaterThan(35);
  for (const [method, route] of writes) {
    const sent = { ...bodies[`${method} ${route}`], no_such_property: "x" };
    const { status, body } = await api.call(method as "POST", path(route), sent);
    // Bot management refuses what the plan does not have; calls that only say that they are not emulated say so.
    expect([method, route, status >= 400, JSON.stringify(body["errors"])]).toEqual([
      ...[method, route, true],
      expect.stringMatching(/no_such_property|^\[\{"code":7501,"message":"\w+ \/zones\/\w+\/[^ ]+ is not emulated"/),
    ]);
  }
});

test.each<[method: "POST" | "PUT", path: string, body: object, name: string]>([
  [
    "POST",
    "balancing/pools",
    { name: "p", origins: [{ name: "a", address: "192.0.2.1", color: 1 }] },
    "origins.0.color",
  ],
  [
    "POST",
    "balancing/pools",
    { name: "p", origins: [{ name: "a", address: "192.0.2.1", header: { From: [] } }] },
    "From",
  ],
  ["POST", "balancing/monitors", { path: "/", color: 1 }, "color"],
  ["POST", "tokens", { name: "t", policies: [{ effect: "allow", color: 1 }] }, "policies.0.color"],
  [
    "PUT",
    "buckets/files/cors",
    { rules: [{ allowed: { methods: ["GET"], origins: ["*"], color: 1 } }] },
    "allowed.color",
  ],
  ["PUT", "buckets/files/cors", { rules: "none" }, "rules"],
  ["PUT", "buckets/files/lock", { rules: ["all"] }, "rules"],
  [
    "PUT",
    "buckets/files/lock",
    { rules: [{ id: "a", enabled: true, condition: { type: "Indefinite", color: 1 } }] },
    "color",
  ],
  [
    "PUT",
    "cache",
    { rules: [{ expression: "true", action: "set_cache_settings", action_parameters: { color: 1 } }] },
    "color",
  ],
  [
    "PUT",
    "cache",
    { rules: [{ expression: "true", action: "set_cache_settings", action_parameters: { edge_ttl: { color: 1 } } }] },
    "edge_ttl.color",
  ],
  ["PUT", "cache", { rules: {} }, "rules"],
  ["POST", "buckets", { name: "others", storageClass: "InfrequentAccess" }, "InfrequentAccess"],
])("%s %s refuses what it does not honour deep in %j", async (method, short, sent, name) => {
  await api.call("POST", `/accounts/${accountId}/r2/buckets`, { name: "files" });
  const path = short
    .replace("balancing", `/accounts/${accountId}/load_balancers`)
    .replace(/^buckets/, `/accounts/${accountId}/r2/buckets`)
    .replace("tokens", "/user/tokens")
    .replace(/^cache$/, `/zones/${api.zone()}/rulesets/phases/http_request_cache_settings/entrypoint`);
  const { status, body } = await api.call(method, path, { ...sent });
  expect([status >= 400, JSON.stringify(body["errors"])]).toEqual([true, expect.stringContaining(name)]);
});

test("what is null in a body, and what was read before, counts as not sent", async () => {
  const pools = `/accounts/${accountId}/load_balancers/pools`;
  const sent = { name: "p", origins: [{ name: "a", address: "192.0.2.1" }], monitor_group: null };
  const { result } = await api.call("POST", pools, sent);
  const again = await api.call("PUT", `${pools}/${String(result["id"])}`, result);
  expect([again.status, again.result]).toEqual([200, result]);
});
