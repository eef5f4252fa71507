/** Bodies of requests: how clients send them, and what becomes of the values in them. */
import { isRecord } from "../../../../common/record.ts";
import { Api, ownerToken } from "../support/api.ts";

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
])("the value in %j would be left out, and is refused", async (more, name) => {
  const { status, body } = await api.call("POST", dns, { ...www, ...more });
  expect([status, JSON.stringify(body["errors"])]).toEqual([400, expect.stringContaining(name)]);
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

test("what exists at Cloudflare and not here says so by name", async () => {
  for (const path of [`${dns}/export`, `/zones/${api.zone()}/settings/minify`]) {
    const { status, headers, body } = await api.call("GET", path);
    expect([status, headers.get("x-should-retry")]).toEqual([501, "false"]);
    expect(JSON.stringify(body["errors"])).toContain(path.split("/").at(-1));
  }
});
