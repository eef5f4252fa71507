/** Answers in which a client told the emulated API from the real one, each as the real one gives it. */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import type { Json } from "../../../../rehearsal/json.ts";
import { isRecord } from "../../../../common/record.ts";
import { NoMachines } from "../../../../rehearsal/machines/none.ts";
import { ownCertificate } from "../support/certificate.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { HetznerApi, hetznerToken } from "../support/hetzner.ts";
import { Host } from "../support/host.ts";

const errorOf = async (api: HetznerApi, ...call: Parameters<HetznerApi["call"]>): Promise<Json> => {
  const { body, status } = await api.call(...call);
  return { status, ...(isRecord(body["error"]) ? body["error"] : {}) };
};
/** The headers of a reply. */
const headersOf = async (api: HetznerApi, method: string, path: string) =>
  (await fetch(`${await api.endpoint}${path}`, { method, headers: { authorization: `Bearer ${hetznerToken}` } }))
    .headers;

test("the prices have floating IPs of both types, and every server type of the list", async () => {
  const api = new HetznerApi();
  const { pricing } = await api.do("GET", "/pricing");
  const { floating_ips: floating, server_types: types } = isRecord(pricing) ? pricing : {};
  expect(records(floating).map(({ type }) => type)).toEqual(["ipv4", "ipv6"]);
  const { server_types: listed } = await api.do("GET", "/server_types?per_page=50");
  expect(records(types).map(({ id, prices }) => [id, prices])).toEqual(
    records(listed).map(({ id, prices }) => [id, prices]),
  );
});

test("the first address of a subnet is given and taken, unless it is the network's gateway", async () => {
  const api = new HetznerApi();
  const subnets = ["10.0.0.0/24", "10.0.1.0/24"].map((ip_range) => ({
    ...{ type: "cloud", network_zone: "eu-central", ip_range },
  }));
  await api.make("network", { name: "net", ip_range: "10.0.0.0/16", subnets });
  for (const name of ["a", "b", "c"]) await api.server({ name });
  const attach = (server: number, rest: object) =>
    api.call("POST", `/servers/${server}/actions/attach_to_network`, { network: 1, ...rest });
  expect(await attach(1, { ip: "10.0.0.1" })).toMatchObject({ status: 422, code: "ip_not_available" });
  await attach(1, { ip_range: "10.0.1.0/24" });
  await attach(2, {});
  await api.cloud.settled();
  expect(await api.show("server", 1)).toMatchObject({ private_net: [{ ip: "10.0.1.1" }] });
  expect(await api.show("server", 2)).toMatchObject({ private_net: [{ ip: "10.0.0.2" }] });
  await api.do("POST", "/servers/1/actions/detach_from_network", { network: 1 });
  await api.do("POST", "/servers/3/actions/attach_to_network", { network: 1, ip: "10.0.1.1" });
  expect(await api.show("server", 3)).toMatchObject({ private_net: [{ ip: "10.0.1.1" }] });
});

test("a rule for any port comes back as such, and opens all of them", async () => {
  const applied: unknown[] = [];
  const machines = Object.assign(new NoMachines(), {
    setFirewall: (_server: number, rules: unknown) => Promise.resolve(void applied.push(rules)),
  });
  const api = new HetznerApi({ machines });
  const rule = { direction: "in", protocol: "tcp", port: "any", source_ips: ["0.0.0.0/0"] };
  const id = await api.make("firewall", { name: "fire", rules: [rule] });
  await api.server({ firewalls: [{ firewall: id }] });
  expect(await api.show("firewall", id)).toMatchObject({ rules: [{ port: "any" }] });
  expect(applied.at(-1)).toMatchObject([{ protocol: "tcp", port: "1-65535" }]);
});

describe("headers", () => {
  test("every answer has an id of its own and the rate limit, an error and a fault as well", async () => {
    const api = new HetznerApi();
    await api.fault({ kind: "reply", api: "hetzner", status: 429, path: "/volumes" });
    const seen = [];
    for (const path of ["/servers", "/servers/7", "/nothing", "/volumes"]) {
      const headers = await headersOf(api, "GET", path);
      seen.push(headers.get("x-correlation-id"));
      expect(headers.get("x-correlation-id")).toMatch(/^[0-9a-f]{16}$/);
      expect(headers.get("ratelimit-limit")).toBe("3600");
      expect(headers.get("ratelimit-remaining")).toBe(path === "/volumes" ? "0" : String(3600 - seen.length));
      expect(headers.get("ratelimit-reset")).toBe(String(api.now.getTime() / 1000 + seen.length));
    }
    expect(new Set(seen).size).toBe(4);
    // One call a second comes back.
    api.now = new Date(api.now.getTime() + 2000);
    expect((await headersOf(api, "GET", "/servers")).get("ratelimit-remaining")).toBe("3597");
  });

  test("a page links to those around it, with its own filters", async () => {
    const api = new HetznerApi();
    for (const n of [1, 2, 3]) await api.make("placement_group", { name: `g${n}`, type: "spread" });
    const link = (await headersOf(api, "GET", "/placement_groups?per_page=1&page=2&sort=id")).get("link") ?? "";
    const links = [...link.matchAll(/<([^>]+)>; rel="(\w+)"/g)].map(([, url = "", relation]) => [
      relation,
      new URL(url),
    ]);
    const base = await api.endpoint;
    expect(links).toEqual(
      Object.entries({ prev: 1, next: 3, last: 3 }).map(([relation, page]) => [
        relation,
        new URL(`${base}/placement_groups?per_page=1&page=${page}&sort=id`),
      ]),
    );
    expect((await headersOf(api, "GET", "/placement_groups/1")).get("link")).toBeNull();
  });
});

test("the fingerprint of a certificate is its SHA-256", async () => {
  const api = new HetznerApi();
  const { certificate, privateKey } = await ownCertificate("probe.example.com");
  const id = await api.make("certificate", { name: "own", certificate, private_key: privateKey });
  expect((await api.show("certificate", id))["fingerprint"]).toBe(new X509Certificate(certificate).fingerprint256);
});

test("a server that is off is started by the change of its type", async () => {
  const machines = new NoMachines();
  const api = new HetznerApi({ machines });
  await api.server();
  await api.do("POST", "/servers/1/actions/poweroff");
  await api.do("POST", "/servers/1/actions/change_type", { server_type: "cx33", upgrade_disk: false });
  expect(await api.show("server", 1)).toMatchObject({ status: "running", server_type: { name: "cx33" } });
  expect(await machines.isRunning(1)).toBe(true);
});

test("a server that is off is started by its way into a placement group, and not by the way out", async () => {
  const api = new HetznerApi();
  const group = await api.make("placement_group", { name: "group", type: "spread" });
  await api.server();
  await api.do("POST", "/servers/1/actions/poweroff");
  await api.do("POST", "/servers/1/actions/add_to_placement_group", { placement_group: group });
  expect(await api.show("server", 1)).toMatchObject({ status: "running", placement_group: { id: group } });
  await api.do("POST", "/servers/1/actions/poweroff");
  await api.do("POST", "/servers/1/actions/remove_from_placement_group");
  expect(await api.show("server", 1)).toMatchObject({ status: "off", placement_group: null });
});

describe("what is protected", () => {
  const labels = {};
  test.each([
    ["server", { name: "a", server_type: "cx23", image: "debian-12" }, "server deletion is protected"],
    ["network", { name: "a", ip_range: "10.0.0.0/16" }, "network is delete protected"],
    ["volume", { name: "a", size: 10, location: "fsn1" }, "volume deletion is protected"],
    ["floating_ip", { type: "ipv4", home_location: "fsn1" }, "Floating IP deletion is protected"],
    ["primary_ip", { name: "a", type: "ipv4", location: "fsn1" }, "Primary IP deletion is protected"],
    [
      "load_balancer",
      { name: "a", load_balancer_type: "lb11", location: "fsn1" },
      "load balancer deletion is protected",
    ],
  ])("%s is not deleted: 423", async (kind, body, message) => {
    const api = new HetznerApi();
    await api.make(kind, { ...body, labels });
    const protection = { delete: true, ...(kind === "server" && { rebuild: true }) };
    await api.do("POST", `/${kind}s/1/actions/change_protection`, protection);
    expect(await errorOf(api, "DELETE", `/${kind}s/1`)).toMatchObject({ status: 423, code: "protected", message });
  });

  test("a server is not rebuilt", async () => {
    const api = new HetznerApi();
    await api.server();
    await api.do("POST", "/servers/1/actions/change_protection", { delete: true, rebuild: true });
    const { status, code } = await errorOf(api, "POST", "/servers/1/actions/rebuild", { image: "debian-12" });
    expect([status, code]).toEqual([423, "protected"]);
  });
});

test("a service without an idle timeout has 50 s, and it is 30 to 300, and applied", async () => {
  const machines = new Host();
  const api = new HetznerApi({ machines });
  await api.make("load_balancer", { name: "lb", load_balancer_type: "lb11", location: "fsn1" });
  const add = (listen_port: number, http: object) =>
    api.call("POST", "/load_balancers/1/actions/add_service", { protocol: "http", listen_port, http });
  for (const timeout_idle of [5, 29, 301]) {
    expect(await add(80, { timeout_idle })).toMatchObject({ status: 422, code: "invalid_input" });
  }
  await add(80, {});
  await api.cloud.settled();
  await add(81, { timeout_idle: 300 });
  await api.cloud.settled();
  expect(await api.show("load_balancer", 1)).toMatchObject({
    services: [{ http: { timeout_idle: 50 } }, { http: { timeout_idle: 300 } }],
  });
  expect(machines.balancers.get(1)?.services.map(({ timeoutIdle }) => timeoutIdle)).toEqual([50, 300]);
});

describe("the catalogue", () => {
  test("has Hetzner's ids, categories, locations and architectures", async () => {
    const api = new HetznerApi();
    const { server_types: types } = await api.do("GET", "/server_types?per_page=50");
    const rows = records(types).map((type) => [
      ...[type["id"], type["name"], type["category"], type["architecture"]],
      records(type["locations"]).flatMap(({ name, deprecation }) => (deprecation === null ? [name] : [])),
    ]);
    const eu = ["fsn1", "nbg1", "hel1"];
    expect(rows).toContainEqual([109, "cpx22", "regular_purpose", "x86", [...eu, "sin"]]);
    expect(rows).toContainEqual([114, "cx23", "cost_optimized", "x86", eu]);
    expect(rows).toContainEqual([45, "cax11", "cost_optimized", "arm", eu]);
    expect(rows).toContainEqual([96, "ccx13", "general_purpose", "x86", [...eu, "ash", "hil", "sin"]]);
    expect(rows).toContainEqual([22, "cpx11", "regular_purpose", "x86", ["ash", "hil"]]);
    expect(rows).toContainEqual([104, "cx22", "cost_optimized", "x86", []]);
    const { locations } = await api.do("GET", "/locations");
    expect(records(locations).map(({ id, name, network_zone: zone }) => [id, name, zone])).toEqual([
      ...[
        [1, "fsn1", "eu-central"],
        [2, "nbg1", "eu-central"],
        [3, "hel1", "eu-central"],
      ],
      ...[
        [4, "ash", "us-east"],
        [5, "hil", "us-west"],
        [6, "sin", "ap-southeast"],
      ],
    ]);
  });

  test("a retired type says when it went, and cannot be ordered", async () => {
    const api = new HetznerApi();
    expect(await api.show("server_type", 104)).toMatchObject({
      deprecated: true,
      deprecation: { announced: "2025-10-16T06:00:00Z", unavailable_after: "2025-12-31T23:59:59Z" },
    });
    // One that went with an earlier generation.
    expect(await api.show("server_type", 1)).toMatchObject({
      ...{ name: "cx11", deprecated: true },
      deprecation: { announced: "2024-06-06T06:00:00Z", unavailable_after: "2024-09-05T23:59:59Z" },
    });
    const order = (server_type: string, location: string) =>
      errorOf(api, "POST", "/servers", { name: "a", server_type, image: "debian-12", location });
    const invalid = { status: 422, code: "invalid_input" };
    expect(await order("cx22", "fsn1")).toMatchObject({ ...invalid, message: "server type 104 is deprecated" });
    const elsewhere = { ...invalid, message: "unsupported location for server type" };
    expect(await order("cpx11", "fsn1")).toMatchObject(elsewhere);
    expect(await order("cx23", "ash")).toMatchObject(elsewhere);
    await api.server({ server_type: "cpx11", location: "ash", start_after_create: false });
    expect(
      await errorOf(api, "POST", "/servers/1/actions/change_type", { server_type: "cpx22", upgrade_disk: false }),
    ).toMatchObject({ status: 422, code: "invalid_server_type" });
  });

  test("an ARM server runs an ARM image of the same name, and becomes no other", async () => {
    const api = new HetznerApi();
    await api.server({ server_type: "cax11", start_after_create: false });
    expect(await api.show("server", 1)).toMatchObject({ image: { id: 114690389, architecture: "arm" } });
    const wrong = { name: "b", server_type: "cax11", image: 114690387 };
    expect(await api.refusal("POST", "/servers", wrong)).toEqual([422, "invalid_input"]);
    const body = { server_type: "cx33", upgrade_disk: false };
    const change = await api.refusal("POST", "/servers/1/actions/change_type", body);
    expect(change).toEqual([422, "invalid_server_type"]);
  });

  test("machines of this host run no ARM image, and say so", async () => {
    const api = new HetznerApi({ machines: Object.assign(new NoMachines(), { kind: "docker" }) });
    const { code } = await api.call("POST", "/servers", { name: "a", server_type: "cax11", image: "debian-12" });
    expect(code).toBe("not_emulated");
  });

  test("what is sold out is refused in Hetzner's words", async () => {
    const api = new HetznerApi();
    await api.fault({ kind: "sold_out", serverType: "cx23", locations: ["fsn1"] });
    const body = { name: "a", server_type: "cx23", image: "debian-12", location: "fsn1" };
    const message = "error during placement";
    expect(await errorOf(api, "POST", "/servers", body)).toMatchObject({ status: 412, message });
  });

  test("servers of a cloud from before Hetzner's ids keep their types", async () => {
    const api = new HetznerApi();
    await api.server();
    const stored = api.store.get("hetzner.server", 1);
    if (!stored) throw new Error("no server");
    const path = join(temporaryFolder("types"), "cloud.sqlite");
    const before = new HetznerApi({ path });
    await before.server();
    before.store.put("hetzner.server", 1, { ...stored, type: 106 as unknown as string });
    await before.close();
    const after = new HetznerApi({ path });
    expect(await after.show("server", 1)).toMatchObject({ server_type: { id: 109, name: "cpx22" } });
  });
});

describe("calls", () => {
  test.each([
    ["/certificates/actions", "actions"],
    ["/images/actions", "actions"],
    ["/images/114690387/actions", "actions"],
    ["/images?bound_to=4711", "images"],
  ])("GET %s is an empty list", async (path, key) => {
    expect((await new HetznerApi().do("GET", path))[key]).toEqual([]);
  });

  test.each(["/datacenters", "/datacenters/3"])("GET %s is gone", async (path) => {
    expect(await new HetznerApi().refusal("GET", path)).toEqual([410, "deprecated_api_endpoint"]);
  });

  test.each([
    ["PATCH", "/servers/1"],
    ["DELETE", "/servers"],
    ["POST", "/servers/1"],
    ["PUT", "/locations"],
    ["POST", "/actions"],
  ])("%s %s: the method is wrong", async (method, path) => {
    const api = new HetznerApi();
    expect(await errorOf(api, method, path)).toMatchObject({ status: 405, code: "method_not_allowed" });
  });

  test.each([
    ["PUT", "/images/114690387"],
    ["DELETE", "/images/114690387"],
    ["POST", "/servers/1/actions/request_console"],
  ])("%s %s: the method is right, and the call not emulated", async (method, path) => {
    expect(await new HetznerApi().refusal(method, path)).toEqual([501, "not_emulated"]);
  });
});

test("a floating IP with an unknown location names both fields that could give one", async () => {
  const api = new HetznerApi();
  const { message, details } = await errorOf(api, "POST", "/floating_ips", { type: "ipv4", home_location: "mars" });
  expect(message).toBe("invalid input in fields 'server', 'home_location'");
  expect(isRecord(details) ? records(details["fields"]).map(({ name }) => name) : []).toEqual([
    "server",
    "home_location",
  ]);
});

test("an address that is assigned is not deleted", async () => {
  const api = new HetznerApi();
  await api.server();
  await api.make("floating_ip", { type: "ipv4", server: 1 });
  for (const path of ["/floating_ips/1", "/primary_ips/1"]) {
    expect(await api.refusal("DELETE", path)).toEqual([422, "must_be_unassigned"]);
  }
  expect(await api.refusal("POST", "/floating_ips/1/actions/assign", { server: 1 })).toEqual([
    ...[422, "floating_ip_assigned"],
  ]);
});

test("a firewall that a selector applies is not removed from a single server", async () => {
  const api = new HetznerApi();
  await api.server({ labels: { role: "web" } });
  const apply_to = [{ type: "label_selector", label_selector: { selector: "role" } }];
  await api.make("firewall", { name: "fire", apply_to });
  const remove = (id: number) =>
    api.refusal("POST", "/firewalls/1/actions/remove_from_resources", {
      remove_from: [{ type: "server", server: { id } }],
    });
  expect(await remove(1)).toEqual([422, "firewall_managed_by_label_selector"]);
  expect(await remove(7)).toEqual([404, "firewall_resource_not_found"]);
});

test("a deleted network loses what is in it, unless a load balancer reaches its targets there", async () => {
  const host = new Host();
  const api = new HetznerApi({ machines: host });
  await api.network();
  await api.server({ networks: [1] });
  await api.make("load_balancer", { name: "lb", load_balancer_type: "lb11", location: "fsn1", network: 1 });
  const target = { type: "server", server: { id: 1 } };
  await api.do("POST", "/load_balancers/1/actions/add_target", { ...target, use_private_ip: true });
  expect(await errorOf(api, "DELETE", "/networks/1")).toMatchObject({ code: "service_error" });
  await api.do("POST", "/load_balancers/1/actions/remove_target", target);
  expect((await api.call("DELETE", "/networks/1")).status).toBe(204);
  expect(await api.show("server", 1)).toMatchObject({ private_net: [], status: "running" });
  expect(await api.show("load_balancer", 1)).toMatchObject({ private_net: [] });
  await api.cloud.settled();
  expect([[...host.networks.keys()], host.machines.get(1)?.interfaces, api.failures]).toEqual([[], [], []]);
});

test("a network that changes answers conflict, and grows at its end only", async () => {
  const api = new HetznerApi();
  await api.network();
  await api.fault({ kind: "action", command: "add_route", seconds: 1 });
  await api.call("POST", "/networks/1/actions/add_route", { destination: "10.99.0.0/16", gateway: "10.20.1.2" });
  const subnet = { type: "cloud", network_zone: "eu-central", ip_range: "10.20.2.0/24" };
  expect(await api.refusal("POST", "/networks/1/actions/add_subnet", subnet)).toEqual([409, "conflict"]);
  await api.cloud.settled();
  const grow = (ip_range: string) => api.call("POST", "/networks/1/actions/change_ip_range", { ip_range });
  expect(await grow("10.0.0.0/8")).toMatchObject({ status: 422, code: "invalid_input" });
  expect(await grow("10.20.0.0/14")).toMatchObject({ status: 201 });
});

test("a load balancer without its public interface takes no target by a public address", async () => {
  const api = new HetznerApi();
  await api.network();
  await api.server({ labels: { role: "web" } });
  await api.make("load_balancer", { name: "lb", load_balancer_type: "lb11", location: "fsn1", network: 1 });
  await api.do("POST", "/load_balancers/1/actions/disable_public_interface");
  for (const target of [
    { type: "server", server: { id: 1 } },
    { type: "label_selector", label_selector: { selector: "role" } },
  ]) {
    expect(await api.refusal("POST", "/load_balancers/1/actions/add_target", target)).toEqual([
      ...[422, "load_balancer_public_interface_disabled"],
    ]);
  }
});

test("the rules of a firewall come back with those for incoming packets first", async () => {
  const api = new HetznerApi();
  const any = ["0.0.0.0/0"];
  const out = { direction: "out", protocol: "icmp", destination_ips: any };
  const into = (port: string) => ({ direction: "in", protocol: "tcp", port, source_ips: any });
  await api.make("firewall", { name: "fire", rules: [into("80"), out, into("22")] });
  expect(await api.show("firewall", 1)).toMatchObject({
    rules: [{ port: "80" }, { port: "22" }, { direction: "out" }],
  });
});

test("backups of a server with a machine, which nothing takes, are not switched on", async () => {
  const api = new HetznerApi({ machines: Object.assign(new NoMachines(), { kind: "docker" }) });
  await api.server();
  expect(await api.refusal("POST", "/servers/1/actions/enable_backup")).toEqual([501, "not_emulated"]);
});

test("an uploaded certificate cannot be retried", async () => {
  const api = new HetznerApi();
  const { certificate, privateKey } = await ownCertificate("probe.example.com");
  await api.make("certificate", { name: "own", certificate, private_key: privateKey });
  expect(await errorOf(api, "POST", "/certificates/1/actions/retry")).toMatchObject({
    ...{ code: "unsupported_error", message: "certificate not retryable" },
  });
});

test("a place that its server does not have is refused, not passed over", async () => {
  const api = new HetznerApi();
  await api.server({ start_after_create: false, public_net: { enable_ipv4: false, enable_ipv6: true } });
  const elsewhere = { status: 422, message: "invalid input in field 'location'" };
  const volume = { name: "v", size: 10, server: 1, location: "nbg1" };
  expect(await errorOf(api, "POST", "/volumes", volume)).toMatchObject(elsewhere);
  const address = { name: "p", type: "ipv4", assignee_id: 1, assignee_type: "server", location: "nbg1" };
  expect(await errorOf(api, "POST", "/primary_ips", address)).toMatchObject(elsewhere);
  const balancer = { name: "lb", load_balancer_type: "lb11", location: "fsn1", network_zone: "us-east" };
  expect(await errorOf(api, "POST", "/load_balancers", balancer)).toMatchObject({
    message: "invalid input in field 'network_zone'",
  });
});

test("an address that is not to be switched on is not given", async () => {
  const api = new HetznerApi();
  await api.make("primary_ip", { name: "p", type: "ipv4", location: "fsn1" });
  const body = { name: "a", server_type: "cx23", image: "debian-12", location: "fsn1" };
  const public_net = { enable_ipv4: false, ipv4: 1 };
  expect(await errorOf(api, "POST", "/servers", { ...body, public_net })).toMatchObject({
    message: "invalid input in field 'public_net.ipv4'",
  });
});

test("a target of a load balancer by its address is none of the cloud's own", async () => {
  const api = new HetznerApi();
  await api.server();
  await api.make("load_balancer", { name: "lb", load_balancer_type: "lb11", location: "fsn1" });
  const target = { type: "ip", ip: { ip: "127.78.0.5" } };
  expect(await api.refusal("POST", "/load_balancers/1/actions/add_target", target)).toEqual([
    ...[422, "cloud_resource_ip_not_allowed"],
  ]);
});

test("a route that no machine would follow is not taken", async () => {
  const api = new HetznerApi({ machines: Object.assign(new NoMachines(), { kind: "docker" }) });
  await api.network();
  const route = { destination: "10.99.0.0/16", gateway: "10.20.1.2" };
  expect(await api.refusal("POST", "/networks/1/actions/add_route", route)).toEqual([501, "not_emulated"]);
});

test("the deletion of a load balancer is an action", async () => {
  const api = new HetznerApi();
  await api.make("load_balancer", { name: "lb", load_balancer_type: "lb11", location: "fsn1" });
  expect(await api.do("DELETE", "/load_balancers/1")).toMatchObject({ action: { command: "delete_load_balancer" } });
});

test.each(["True", "1", "t"])("include_deprecated=%s is true, as Hetzner's servers read it", async (value) => {
  const { images } = await new HetznerApi().do("GET", `/images?include_deprecated=${value}`);
  expect(records(images)).not.toEqual([]);
});

test("an IPv6 range of a primary IP is found by its address", async () => {
  const api = new HetznerApi();
  await api.make("primary_ip", { name: "p", type: "ipv6", location: "fsn1" });
  const { ip } = await api.show("primary_ip", 1);
  const find = async (text: string) => records((await api.do("GET", `/primary_ips?ip=${text}`))["primary_ips"]).length;
  expect([await find(String(ip).replace("/64", "")), await find(String(ip)), await find("2001:db8::")]).toEqual([
    1, 1, 0,
  ]);
});
