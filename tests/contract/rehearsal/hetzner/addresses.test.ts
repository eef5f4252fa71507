import { isOneOf, isRange6 } from "../../../../rehearsal/hetzner/addresses.ts";
import { HetznerApi } from "../support/hetzner.ts";

const primary = (api: HetznerApi, name: string, body?: unknown, id = 1) =>
  api.do("POST", `/primary_ips/${id}/actions/${name}`, body);
const primaryRefusal = (api: HetznerApi, name: string, body?: unknown, id = 1) =>
  api.refusal("POST", `/primary_ips/${id}/actions/${name}`, body);
const to = (server: number) => ({ assignee_id: server, assignee_type: "server" });
const asked = { name: "address", type: "ipv4", location: "fsn1" };
const invalid = [422, "invalid_input"];

describe("a primary IP", () => {
  test("comes back as it was made, and is found by its address", async () => {
    const api = new HetznerApi();
    await api.make("primary_ip", { ...asked, labels: { a: "b" } });
    expect(await api.show("primary_ip", 1)).toMatchObject({
      name: "address",
      type: "ipv4",
      ip: "127.78.0.5",
      labels: { a: "b" },
      location: { name: "fsn1" },
      assignee_id: null,
      assignee_type: "server",
      auto_delete: false,
      dns_ptr: [{ ip: "127.78.0.5" }],
      protection: { delete: false },
    });
    await api.make("primary_ip", { ...asked, name: "other", type: "ipv6" });
    expect(await api.show("primary_ip", 2)).toMatchObject({ ip: "2001:db8:4e:2::/64", dns_ptr: [] });
    expect((await api.do("GET", "/primary_ips?ip=127.78.0.5"))["primary_ips"]).toMatchObject([{ id: 1 }]);
    expect((await api.do("GET", "/primary_ips?ip=127.78.0.6"))["primary_ips"]).toEqual([]);
  });

  test.each([
    [{ type: "ipv5" }, ...invalid],
    [{ location: undefined }, ...invalid],
    [{ location: "mars1" }, ...invalid],
    [{ assignee_type: "balancer" }, ...invalid],
    [{ assignee_id: 7 }, 404, "not_found"],
    // Server 1 is on, and has addresses of both types.
    [{ assignee_id: 1 }, 422, "server_has_ipv4"],
    [{ assignee_id: 2 }, 422, "server_not_stopped"],
    [{ name: "taken" }, 409, "uniqueness_error"],
  ])("with %j is refused", async (rest, ...expected) => {
    const api = new HetznerApi();
    await api.server();
    await api.server({ name: "b", public_net: { enable_ipv4: false } });
    await api.make("primary_ip", { ...asked, name: "taken" });
    expect(await api.refusal("POST", "/primary_ips", { ...asked, ...rest })).toEqual(expected);
  });

  test("counts towards a limit, also when a server brings it along", async () => {
    const api = new HetznerApi({ limits: { "hetzner.primary_ip": 1 } });
    const server = { name: "a", server_type: "cx23", image: "debian-12" };
    expect(await api.refusal("POST", "/servers", server)).toEqual([403, "resource_limit_exceeded"]);
    expect(api.store.count("hetzner.server")).toBe(0);
    await api.make("primary_ip", asked);
    expect(await api.refusal("POST", "/primary_ips", { ...asked, name: "b" })).toEqual([
      403,
      "resource_limit_exceeded",
    ]);
  });

  test("changes hands only while the server is off", async () => {
    const api = new HetznerApi();
    await api.server({ start_after_create: false, public_net: { enable_ipv4: false } });
    await api.server({ name: "far", location: "hel1", start_after_create: false, public_net: { enable_ipv4: false } });
    const id = await api.make("primary_ip", asked);
    expect(await primaryRefusal(api, "unassign", undefined, id)).toEqual([422, "service_error"]);
    expect(await primaryRefusal(api, "assign", to(2), id)).toEqual([422, "primary_ip_datacenter_mismatch"]);
    expect(await primaryRefusal(api, "assign", to(7), id)).toEqual([404, "not_found"]);
    await primary(api, "assign", to(1), id);
    expect(await api.show("server", 1)).toMatchObject({ public_net: { ipv4: { id, ip: "127.78.0.5" } } });
    expect(await primaryRefusal(api, "assign", to(1), id)).toEqual([422, "primary_ip_already_assigned"]);
    await api.do("POST", "/servers/1/actions/poweron");
    const stopped = [422, "server_not_stopped"];
    expect(await primaryRefusal(api, "unassign", undefined, id)).toEqual(stopped);
    expect(await api.refusal("DELETE", `/primary_ips/${id}`)).toEqual([422, "must_be_unassigned"]);
    await api.do("POST", "/servers/1/actions/poweroff");
    await primary(api, "unassign", undefined, id);
    expect(await api.show("server", 1)).toMatchObject({ public_net: { ipv4: null } });
    await api.make("primary_ip", { ...asked, name: "made", assignee_id: 1, location: undefined });
    expect(await primaryRefusal(api, "assign", to(1), id)).toEqual([422, "server_has_ipv4"]);
  });

  test("goes away with its server, or stays, as it says", async () => {
    const api = new HetznerApi();
    const stays = await api.make("primary_ip", asked);
    const goes = await api.make("primary_ip", { ...asked, name: "goes", type: "ipv6" });
    await api.do("PUT", `/primary_ips/${goes}`, { auto_delete: true, name: "renamed" });
    await api.server({ public_net: { ipv4: stays, ipv6: goes } });
    await api.do("DELETE", "/servers/1");
    expect(await api.show("primary_ip", stays)).toMatchObject({ assignee_id: null });
    expect(await api.refusal("GET", `/primary_ips/${goes}`)).toEqual([404, "not_found"]);
  });

  test("has names of its own, and a protection", async () => {
    const api = new HetznerApi();
    await api.make("primary_ip", asked);
    await primary(api, "change_dns_ptr", { ip: "127.78.0.5", dns_ptr: "one.example.com" });
    expect(await api.show("primary_ip", 1)).toMatchObject({ dns_ptr: [{ dns_ptr: "one.example.com" }] });
    await primary(api, "change_dns_ptr", { ip: "127.78.0.5", dns_ptr: null });
    expect(await api.show("primary_ip", 1)).toMatchObject({
      dns_ptr: [{ dns_ptr: "static.5.0.78.127.clients.your-server.de" }],
    });
    expect(await primaryRefusal(api, "change_dns_ptr", { ip: "127.78.0.6", dns_ptr: "x" })).toEqual(invalid);
    await primary(api, "change_protection", { delete: true });
    expect(await api.refusal("DELETE", "/primary_ips/1")).toEqual([423, "protected"]);
    await primary(api, "change_protection", { delete: false });
    expect((await api.call("DELETE", "/primary_ips/1")).status).toBe(204);
    // What is free again is given to the next.
    await api.make("primary_ip", asked);
    expect(await api.show("primary_ip", 2)).toMatchObject({ ip: "127.78.0.5" });
  });
});

describe("a floating IP", () => {
  const floating = (api: HetznerApi, name: string, body?: unknown) =>
    api.do("POST", `/floating_ips/1/actions/${name}`, body);

  test("comes back as it was made, and changes", async () => {
    const api = new HetznerApi();
    const rest = { type: "ipv4", description: "first", labels: { a: "b" } };
    await api.make("floating_ip", { ...rest, name: "float", home_location: "fsn1" });
    await api.do("PUT", "/floating_ips/1", { description: "second" });
    expect(await api.show("floating_ip", 1)).toMatchObject({
      ...{ name: "float", description: "second", ip: "127.78.0.5", home_location: { name: "fsn1" }, server: null },
      ...{ blocked: false, labels: { a: "b" }, protection: { delete: false } },
    });
    await api.server();
    await api.make("floating_ip", { type: "ipv6", server: 1 });
    expect(await api.show("floating_ip", 2)).toMatchObject({
      ...{ name: "floating-ip-2", ip: "2001:db8:14e:2::/64", server: 1, home_location: { name: "fsn1" } },
    });
  });

  test("goes from server to server", async () => {
    const api = new HetznerApi();
    await api.server();
    await api.server({ name: "b" });
    await api.make("floating_ip", { type: "ipv4", home_location: "fsn1" });
    for (const server of [1, 2]) {
      await floating(api, "assign", { server });
      expect(await api.show("server", server)).toMatchObject({ public_net: { floating_ips: [1] } });
    }
    expect(await api.show("server", 1)).toMatchObject({ public_net: { floating_ips: [] } });
    await floating(api, "unassign");
    expect(await api.show("floating_ip", 1)).toMatchObject({ server: null });
    expect(await api.refusal("POST", "/floating_ips/1/actions/assign", { server: 7 })).toEqual([404, "not_found"]);
  });

  test("is refused without a place, with a taken name, beyond a limit, and under protection", async () => {
    const api = new HetznerApi({ limits: { "hetzner.floating_ip": 1 } });
    const asked = { type: "ipv4", name: "float", home_location: "fsn1" };
    expect(await api.refusal("POST", "/floating_ips", { ...asked, home_location: undefined })).toEqual(invalid);
    expect(await api.refusal("POST", "/floating_ips", { ...asked, type: "ipv5" })).toEqual(invalid);
    await api.make("floating_ip", asked);
    expect(await api.refusal("POST", "/floating_ips", asked)).toEqual([409, "uniqueness_error"]);
    expect(await api.refusal("POST", "/floating_ips", { ...asked, name: "b" })).toEqual([
      403,
      "resource_limit_exceeded",
    ]);
    const dns = { ip: "127.78.0.6", dns_ptr: "x" };
    expect(await api.refusal("POST", "/floating_ips/1/actions/change_dns_ptr", dns)).toEqual(invalid);
    await floating(api, "change_dns_ptr", { ip: "127.78.0.5", dns_ptr: "float.example.com" });
    await floating(api, "change_protection", { delete: true });
    expect(await api.refusal("DELETE", "/floating_ips/1")).toEqual([423, "protected"]);
    await floating(api, "change_protection", { delete: false });
    expect((await api.call("DELETE", "/floating_ips/1")).status).toBe(204);
  });
});

test("no two addresses are the same", async () => {
  const api = new HetznerApi();
  await api.server();
  await api.make("primary_ip", asked);
  for (const type of ["ipv4", "ipv6"]) await api.make("floating_ip", { type, home_location: "fsn1" });
  await api.make("load_balancer", { name: "lb", load_balancer_type: "lb11", location: "fsn1" });
  const { store } = api;
  const all = [
    ...store.list("hetzner.primary_ip").map(({ ip }) => ip),
    ...store.list("hetzner.floating_ip").map(({ ip }) => ip),
    ...store.list("hetzner.load_balancer").flatMap(({ ip, ipv6 }) => [ip, ipv6.replace("::1", "::/64")]),
  ];
  expect(new Set(all).size).toBe(7);
  for (const ip of all) expect(ip).toMatch(/^127\.78\.\d+\.\d+$|^2001:db8:[0-9a-f]{1,4}:[0-9a-f]{1,4}::\/64$/);
});

test.each([
  ["::/0", true],
  ["2001:db8::/32", true],
  ["2001:DB8:0:1::/64", true],
  ["1:2:3:4:5:6:7:8/128", true],
  ["2001:db8::1/64", false],
  ["2001:db8::/129", false],
  ["2001:db8::", false],
  ["::::/0", false],
  ["::ffff:10.0.0.0/128", false],
  ["10.0.0.0/8", false],
])("%s is an IPv6 network: %s", (text, is) => {
  expect(isRange6(text)).toBe(is);
});

test.each([
  ["127.78.0.5", "127.78.0.5", true],
  ["127.78.0.5", "127.78.0.50", false],
  ["2001:db8:4e:2::/64", "2001:db8:4e:2::1", true],
  ["2001:db8:4e:2::/64", "2001:db8:4e:2:ffff::", true],
  ["2001:db8:4e:2::/64", "2001:db8:4e:20::1", false],
  ["2001:db8:4e:2::/64", "127.78.0.5", false],
])("somebody who has %s has %s: %s", (own, address, has) => {
  expect(isOneOf(own, address)).toBe(has);
});
