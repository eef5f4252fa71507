/** A way through every call of the emulated Cloudflare that the real API's document knows, each reply held against it. */
import { permissionGroups } from "../../../../rehearsal/cloudflare/permissions.ts";
import { accountId, Api, specification } from "../support/api.ts";
import { ownCertificate, signingRequest } from "../support/certificate.ts";
import type { Route } from "../support/openapi.ts";

jest.setTimeout(60_000);
const whereSpecified = specification ? test : test.skip;
const account = `/accounts/${accountId}`;
const rule = (ref: string) => ({ ref, action: "block", expression: `http.request.uri.path eq "/${ref}"` });
const phase = "http_request_firewall_custom";
const notEmulated = [
  ...["/zones/:zone/dns_records/export", "/zones/:zone/dns_records/usage"],
  ...["/zones/:zone/origin_tls_client_auth/hostnames", "/zones/:zone/origin_tls_client_auth/hostnames/certificates"],
];
let served: readonly Route[] = [];

test("every kind of resource is made, listed, shown, changed and deleted", async () => {
  const api = new Api([{ name: "example.com", plan: "enterprise" }]);
  const zone = `/zones/${api.zone()}`;
  const call = async (method: Parameters<Api["call"]>[0], path: string, body?: Readonly<Record<string, unknown>>) => {
    const { status, body: answer, result } = await api.call(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
    return result;
  };
  /** Takes one of a collection through its life. */
  const live = async (
    path: string,
    body: object,
    change: object = body,
    methods: readonly ("PUT" | "PATCH")[] = [],
  ) => {
    const one = `${path}/${String((await call("POST", path, { ...body }))["id"])}`;
    await call("GET", path);
    await call("GET", one);
    for (const method of methods) await call(method, one, { ...body, ...change });
    await call("DELETE", one);
  };

  await call("GET", "/zones?name=example.com");
  await call("GET", zone);
  await call("GET", "/ips");
  await call("GET", `${zone}/subscription`);
  for (const method of ["POST", "PUT"] as const) {
    await call(method, `${zone}/subscription`, { rate_plan: { id: "enterprise" } });
  }
  const record = { type: "A", name: "www.example.com", content: "192.0.2.1", ttl: 1, proxied: true };
  await live(`${zone}/dns_records`, record, { content: "192.0.2.2", comment: "second" }, ["PUT", "PATCH"]);

  const rulesets = `${zone}/rulesets`;
  const made = await call("POST", rulesets, { name: "waf", kind: "zone", phase, rules: [rule("one")] });
  const ruleset = `${rulesets}/${String(made["id"])}`;
  await call("GET", rulesets);
  await call("GET", ruleset);
  await call("PUT", ruleset, { rules: [rule("one"), rule("two")] });
  await call("GET", `${rulesets}/phases/${phase}/entrypoint`);
  await call("PUT", `${rulesets}/phases/${phase}/entrypoint`, { rules: [rule("one")] });
  const { rules } = await call("POST", `${ruleset}/rules`, rule("three"));
  const [, added] = rules as { readonly id: string }[];
  await call("PATCH", `${ruleset}/rules/${String(added?.id)}`, { ...rule("three"), enabled: false });
  await call("DELETE", `${ruleset}/rules/${String(added?.id)}`);
  await call("DELETE", ruleset);
  const kept = { cache: true, edge_ttl: { mode: "respect_origin" } };
  const keep = { ...rule("keep"), action: "set_cache_settings", action_parameters: kept };
  const caching = { name: "cache", kind: "zone", phase: "http_request_cache_settings", rules: [keep] };
  await call("GET", `${rulesets}/${String((await call("POST", rulesets, caching))["id"])}`);

  await call("GET", `${zone}/settings`);
  await call("GET", `${zone}/settings/ssl`);
  await call("PATCH", `${zone}/settings/ssl`, { value: "strict" });
  await call("GET", `${zone}/bot_management`);
  await call("PUT", `${zone}/bot_management`, { enable_js: true });
  const smart = `${zone}/cache/tiered_cache_smart_topology_enable`;
  await call("POST", smart, { value: "on" });
  for (const path of ["/argo/tiered_caching", "/argo/smart_routing", "/cache/regional_tiered_cache"]) {
    await call("PATCH", `${zone}${path}`, { value: "on" });
    await call("GET", `${zone}${path}`);
  }
  await call("PATCH", smart, { value: "off" });
  await call("GET", smart);
  await call("DELETE", smart);

  await live("/certificates", {
    csr: await signingRequest("example.com"),
    hostnames: ["example.com"],
    request_type: "origin-ecc",
  });
  const pulls = `${zone}/origin_tls_client_auth`;
  const { certificate, privateKey } = await ownCertificate("pull.example.com");
  const { id: cert } = await call("POST", pulls, { certificate, private_key: privateKey });
  await call("GET", pulls);
  await call("GET", `${pulls}/${String(cert)}`);
  await call("PUT", `${pulls}/settings`, { enabled: true });
  await call("GET", `${pulls}/settings`);
  await call("PUT", `${pulls}/hostnames`, { config: [{ hostname: "www.example.com", cert_id: cert, enabled: true }] });
  await call("GET", `${pulls}/hostnames/www.example.com`);
  await call("PUT", `${pulls}/hostnames`, { config: [{ hostname: "www.example.com", cert_id: cert, enabled: null }] });
  await call("DELETE", `${pulls}/${String(cert)}`);

  const balancers = `${account}/load_balancers`;
  const monitor = { type: "https", path: "/health", expected_codes: "2xx" };
  await live(`${balancers}/monitors`, monitor, { interval: 30 }, ["PUT", "PATCH"]);
  const pool = { name: "pool", origins: [{ name: "a", address: "192.0.2.1" }] };
  await live(`${balancers}/pools`, pool, { description: "second" }, ["PUT", "PATCH"]);
  const { id: own } = await call("POST", `${balancers}/pools`, pool);
  const balancer = { name: "lb.example.com", default_pools: [own], fallback_pool: own, steering_policy: "off" };
  await call("POST", `${zone}/load_balancers`, { ...balancer, name: "other.example.com", steering_policy: "" });
  await live(`${zone}/load_balancers`, balancer, { proxied: true }, ["PUT", "PATCH"]);

  const buckets = `${account}/r2/buckets`;
  await call("POST", buckets, { name: "files", locationHint: "weur" });
  await call("GET", buckets);
  await call("GET", `${buckets}/files`);
  await call("DELETE", `${buckets}/files`);

  const group = permissionGroups.find(({ name }) => name === "DNS Read");
  const resources = { [`com.cloudflare.api.account.zone.${api.zone()}`]: "*" };
  const policies = [{ effect: "allow", permission_groups: [{ id: group?.id }], resources }];
  await call("GET", "/user/tokens/permission_groups");
  await call("GET", "/user/tokens/verify");
  await live("/user/tokens", { name: "dns", policies }, { name: "second" }, ["PUT"]);
  // A refusal.
  expect((await api.call("POST", `${zone}/dns_records`, { ...record, content: "192.0.2.300" })).status).toBe(400);
  // What is not emulated has no success.
  served = api.routes.filter(([, route]) => !notEmulated.includes(route));
  for (const route of notEmulated) {
    expect((await api.call("GET", route.replace(":zone", api.zone()))).status).toBe(501);
  }
});

whereSpecified("the success of every call that the document knows was validated", () => {
  const known = served.filter((route) => specification?.has(...route));
  expect(known.length).toBeGreaterThan(60);
  expect(known.filter((route) => !specification?.isValidated(...route))).toEqual([]);
});

whereSpecified("every listed deviation still happens", () => {
  expect(specification?.needless.map(({ reason }) => reason)).toEqual([]);
});
