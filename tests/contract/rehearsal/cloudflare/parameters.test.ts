/**
 * Every query parameter of every call: it is honoured, which a list shows that differs with it, or it is refused by an error
 * that names it. The parameters are those of the real API's document, and the newer ones of Cloudflare's own client.
 */
import { isRecord } from "../../../../common/record.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { permissionGroups } from "../../../../rehearsal/cloudflare/permissions.ts";
import { settings } from "../../../../rehearsal/cloudflare/setting-values.ts";
import { accountId, Api, specification } from "../support/api.ts";
import type { Route } from "../support/openapi.ts";

const whereSpecified = specification ? test : test.skip;
const zones = [
  { name: "example.com", plan: "enterprise" },
  { name: "shop.example", plan: "free" },
  { name: "example.org", plan: "pro" },
] as const;

/** A query, and the names that are listed with it. */
type Probe = readonly [query: string, names: readonly string[]];
type Probes = Readonly<Record<string, readonly Probe[]>>;

const record = (probe: string, names: string): Probe => [probe, names === "" ? [] : names.split(" ")];

/** Records are named by their content. In the order of their types: A, AAAA, MX, TXT. */
const dnsRecords: Probes = {
  name: [record("name=www.example.com", "192.0.2.1 2001:db8::1"), record("name=WWW.example.com&type=A", "192.0.2.1")],
  "name.exact": [record("name.exact=example.com", "mx.example.net note")],
  "name.contains": [record("name.contains=API", "192.0.2.2")],
  "name.startswith": [record("name.startswith=w", "192.0.2.1 2001:db8::1")],
  "name.endswith": [record("name.endswith=pi.example.com", "192.0.2.2")],
  content: [record("content=192.0.2.2", "192.0.2.2")],
  "content.exact": [record("content.exact=NOTE", "note")],
  "content.contains": [record("content.contains=0.2", "192.0.2.1 192.0.2.2")],
  "content.startswith": [record("content.startswith=mx.", "mx.example.net")],
  "content.endswith": [record("content.endswith=.2", "192.0.2.2")],
  type: [record("type=MX", "mx.example.net"), record("type=CNAME", "")],
  proxied: [record("proxied=true", "192.0.2.1"), record("proxied=false", "192.0.2.2 2001:db8::1 mx.example.net note")],
  comment: [record("comment=First%20one", "192.0.2.1")],
  "comment.present": [record("comment.present=", "192.0.2.1 192.0.2.2")],
  "comment.absent": [record("comment.absent=", "2001:db8::1 mx.example.net note")],
  "comment.exact": [record("comment.exact=first%20one", "192.0.2.1")],
  "comment.contains": [record("comment.contains=ONE", "192.0.2.1")],
  "comment.startswith": [record("comment.startswith=second", "192.0.2.2")],
  "comment.endswith": [record("comment.endswith=two", "192.0.2.2")],
  tag: [record("tag=team:shop", "192.0.2.1")],
  "tag.present": [record("tag.present=team", "192.0.2.1 192.0.2.2")],
  "tag.absent": [record("tag.absent=team", "2001:db8::1 mx.example.net note")],
  "tag.exact": [record("tag.exact=team:api", "192.0.2.2")],
  "tag.contains": [record("tag.contains=team:p", "192.0.2.1 192.0.2.2")],
  "tag.startswith": [record("tag.startswith=team:sh", "192.0.2.1")],
  "tag.endswith": [record("tag.endswith=team:pi", "192.0.2.2")],
  tag_match: [
    record("tag.exact=team:shop&tag.present=old", ""),
    record("tag.exact=team:shop&tag.present=old&tag_match=any", "192.0.2.1 192.0.2.2"),
  ],
  match: [
    record("type=MX&content=note", ""),
    record("type=MX&content=note&match=any", "mx.example.net note"),
    record("match=any", "192.0.2.1 192.0.2.2 2001:db8::1 mx.example.net note"),
  ],
  search: [record("search=second", "192.0.2.2"), record("search=team:shop", "192.0.2.1"), record("search=gone", "")],
  order: [
    record("", "192.0.2.1 192.0.2.2 2001:db8::1 mx.example.net note"),
    record("order=name", "192.0.2.2 note mx.example.net 2001:db8::1 192.0.2.1"),
    record("order=content&type=A", "192.0.2.1 192.0.2.2"),
    record("order=ttl", "192.0.2.1 2001:db8::1 192.0.2.2 note mx.example.net"),
    record("order=proxied&type=A", "192.0.2.2 192.0.2.1"),
  ],
  direction: [record("direction=desc", "note mx.example.net 2001:db8::1 192.0.2.2 192.0.2.1")],
  page: [record("page=2&per_page=4", "note")],
  per_page: [record("per_page=1", "192.0.2.1")],
};

const zoneList: Probes = {
  name: [
    record("name=example.org", "example.org"),
    record("name=equal:example.org", "example.org"),
    record("name=contains:EXAMPLE", "example.com shop.example example.org"),
    record("name=contains_case_sensitive:EXAMPLE", ""),
    record("name=starts_with:shop", "shop.example"),
    record("name=ends_with:.org", "example.org"),
    record("name=not_equal:example.org", "example.com shop.example"),
  ],
  status: [record("status=active&name=example.org", "example.org"), record("status=pending", "")],
  type: [
    record("type=full,partial&name=example.org", "example.org"),
    record("type=full&type=partial&name=example.org", "example.org"),
    record("type=secondary", ""),
  ],
  "account.id": [record(`account.id=${accountId}&name=example.org`, "example.org"), record("account.id=1", "")],
  "account.name": [record("account.name=Rehearsal&name=example.org", "example.org"), record("account.name=other", "")],
  match: [record("name=example.org&status=pending&match=any", "example.org")],
  order: [record("order=name", "example.com example.org shop.example")],
  direction: [record("order=name&direction=desc", "shop.example example.org example.com")],
  page: [record("order=name&page=2&per_page=2", "shop.example")],
  per_page: [record("order=name&per_page=1", "example.com")],
};

const buckets: Probes = {
  name_contains: [record("name_contains=pic", "pictures")],
  start_after: [record("start_after=files", "pictures")],
  order: [record("order=name", "backups files pictures")],
  direction: [
    record("direction=desc", "pictures files backups"),
    record("direction=desc&start_after=pictures", "files backups"),
  ],
  per_page: [record("per_page=2", "backups files")],
  cursor: [
    record(`cursor=${Buffer.from('{"after":"backups"}').toString("base64url")}&per_page=1`, "files"),
    record(`cursor=${Buffer.from('{"after":"files"}').toString("base64url")}&direction=desc`, "backups"),
  ],
};

const tokens: Probes = {
  page: [record("page=2&per_page=1", "second")],
  per_page: [record("per_page=1", "first")],
  direction: [record("direction=desc", "second first")],
};

const probes: Readonly<Record<string, Probes>> = {
  "/zones/:zone/dns_records": dnsRecords,
  "/zones": zoneList,
  "/accounts/:account/r2/buckets": buckets,
  "/user/tokens": tokens,
  "/accounts/:account/load_balancers/pools": { monitor: [record("monitor=0", "")] },
  "/certificates": { zone_id: [record("zone_id=0", "")] },
};

let api: Api;
beforeEach(async () => {
  api = new Api(zones);
  const add = async (path: string, body: Readonly<Record<string, unknown>>): Promise<void> => {
    const { status, body: answer } = await api.call("POST", path, body);
    if (status >= 300) throw new Error(JSON.stringify(answer));
  };
  const www = { name: "www", ttl: 60 };
  const dns = `/zones/${api.zone()}/dns_records`;
  await add(dns, { type: "TXT", name: "@", content: "note", ttl: 300 });
  await add(dns, { type: "MX", name: "@", content: "mx.example.net", priority: 1, ttl: 3600 });
  await add(dns, { ...www, type: "AAAA", content: "2001:DB8:0:0::1" });
  const first = { comment: "First one", tags: ["team:shop"], proxied: true };
  await add(dns, { ...www, type: "A", content: "192.0.2.1", ...first });
  const second = { comment: "Second two", tags: ["team:api", "old:yes"] };
  await add(dns, { type: "A", name: "api", content: "192.0.2.2", ttl: 60, ...second });
  const account = `/accounts/${accountId}`;
  for (const name of ["pictures", "backups", "files"]) await add(`${account}/r2/buckets`, { name });
  await add(`${account}/load_balancers/pools`, { name: "pool", origins: [{ name: "a", address: "192.0.2.1" }] });
  const id = permissionGroups.find(({ name }) => name === "DNS Read")?.id;
  const resources = { [`com.cloudflare.api.account.zone.${api.zone()}`]: "*" };
  const policies = [{ effect: "allow", permission_groups: [{ id }], resources }];
  for (const name of ["first", "second"]) await add("/user/tokens", { name, policies });
});

const pathOf = (route: string): string =>
  route
    .replace(/:zone\b/, api.zone())
    .replace(/:account\b/, accountId)
    .replaceAll(/:\w+/g, "0".repeat(32));

/** The names in a list. */
async function namesOf(path: string): Promise<string[]> {
  const { status, body } = await api.call("GET", path);
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body["errors"])}`);
  const { result } = body;
  const rows = records(isRecord(result) ? result["buckets"] : result);
  return rows.map(({ content, name }) => String(content ?? name));
}

test.each(
  Object.entries(probes).flatMap(([route, parameters]) =>
    Object.keys(parameters).map((name) => [route, name] as const),
  ),
)("GET %s honours %s", async (route, name) => {
  for (const [query, names] of probes[route]?.[name] ?? []) {
    expect([query, await namesOf(`${pathOf(route)}?${query}`)]).toEqual([query, names]);
  }
});

whereSpecified("what the document has and no probe shows is refused by name, at every call", async () => {
  const unknown = api.routes.flatMap(([method, route]) =>
    ["no_such_parameter", ...(specification?.parameters(method, route) ?? [])]
      .filter((name) => method !== "GET" || probes[route]?.[name] === undefined)
      .map((name) => [method, route, name] as const),
  );
  expect(unknown.length).toBeGreaterThan(80);
  for (const [method, route, name] of unknown) {
    const { status, body } = await api.call(method as "GET", `${pathOf(route)}?${name}=x`);
    expect([method, route, status, JSON.stringify(body["errors"])]).toEqual([
      ...[method, route, 501],
      expect.stringMatching(name === "no_such_parameter" ? /not emulated/ : `the query parameter ${name} `),
    ]);
  }
});

test.each([
  ["/zones/:zone/dns_records", "name=www.example.com&name=api.example.com", 501, "name"],
  ["/zones/:zone/dns_records", "order=colour", 400, "order"],
  ["/zones/:zone/dns_records", "direction=up", 400, "direction"],
  ["/zones/:zone/dns_records", "match=some", 400, "match"],
  ["/zones/:zone/dns_records", "type=B", 400, "type"],
  ["/zones/:zone/dns_records", "proxied=yes", 400, "proxied"],
  ["/zones/:zone/dns_records", "page=0", 400, "page"],
  ["/zones/:zone/dns_records", "per_page=all", 400, "per_page"],
  ["/zones", "name=like:example", 400, "name"],
  ["/zones", "status=gone", 400, "status"],
  ["/zones", "type=whole", 400, "type"],
  ["/accounts/:account/r2/buckets", "cursor=x", 400, "cursor"],
  ["/accounts/:account/r2/buckets", "order=created", 400, "order"],
  ["/certificates", "limit=1", 501, "limit"],
  ["/zones/:zone/rulesets", "per_page=1", 501, "per_page"],
])("GET %s?%s is refused", async (route, query, status, name) => {
  const answer = await api.call("GET", `${pathOf(route)}?${query}`);
  expect([answer.status, JSON.stringify(answer.body["errors"])]).toEqual([
    status,
    expect.stringMatching(`parameter ${name}\\b`),
  ]);
});

test("buckets are read to their end with cursors", async () => {
  const path = `/accounts/${accountId}/r2/buckets`;
  const { body } = await api.call("GET", `${path}?per_page=2`);
  const { cursor } = isRecord(body["result_info"]) ? body["result_info"] : {};
  const last = await api.call("GET", `${path}?per_page=2&cursor=${String(cursor)}`);
  expect(records(last.result["buckets"]).map(({ name }) => name)).toEqual(["pictures"]);
  expect(last.body["result_info"]).toEqual({ per_page: 2 });
  expect((await api.call("GET", path, undefined, { "cf-r2-jurisdiction": "moon" })).status).toBe(400);
});

whereSpecified("no call of the document is answered by the route of another one", async () => {
  const shape = (route: string): string => route.replaceAll(/\{[^}]+\}|:\w+/g, "{}");
  const served = new Set(api.routes.map(([method, route]) => `${method} ${shape(route)}`));
  const caught = (specification?.routes ?? []).filter(
    ([method, path]) =>
      !served.has(`${method} ${shape(path)}`) &&
      api.routes.some(matches(method, path)) &&
      // One route has all settings that are emulated.
      !Object.hasOwn(settings, path.split("/").at(-1) ?? ""),
  );
  expect(caught.length).toBeGreaterThan(1);
  for (const [method, path] of caught) {
    const named = path
      .replace(/^(\/zones\/)\{[^}]+\}/, `$1${api.zone()}`)
      .replace(/^(\/accounts\/)\{[^}]+\}/, `$1${accountId}`)
      .replaceAll(/\{[^}]+\}/g, "0".repeat(32));
    const { status, body } = await api.call(method as "GET", named, method === "GET" ? undefined : {});
    expect([method, path, status, JSON.stringify(body["errors"])]).toEqual([
      ...[method, path, 501],
      expect.stringContaining("not emulated"),
    ]);
  }
});

/** Whether a route with parameters takes the path of an operation that has a word in the place of one. */
const matches =
  (method: string, path: string) =>
  ([served, route]: Route): boolean => {
    const pattern = route.replaceAll(/:\w+/g, "[^/]+");
    return served === method && new RegExp(`^${pattern}$`).test(path);
  };
