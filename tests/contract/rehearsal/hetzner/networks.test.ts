import { HetznerApi } from "../support/hetzner.ts";

const subnet = (ip_range?: string) => ({ type: "cloud", network_zone: "eu-central", ip_range });
const command = (api: HetznerApi, name: string, body: unknown) => api.do("POST", `/networks/1/actions/${name}`, body);
const refusal = (api: HetznerApi, name: string, body: unknown) =>
  api.refusal("POST", `/networks/1/actions/${name}`, body);
const server = (api: HetznerApi, name: string, body: unknown, id = 1) =>
  api.do("POST", `/servers/${id}/actions/${name}`, body);
const serverRefusal = (api: HetznerApi, name: string, body: unknown, id = 1) =>
  api.refusal("POST", `/servers/${id}/actions/${name}`, body);

describe("a network", () => {
  test("comes back with its subnets and routes", async () => {
    const api = new HetznerApi();
    await api.make("network", { name: "net", ip_range: "10.20.0.0/16", labels: { a: "b" } });
    await command(api, "add_subnet", subnet("10.20.1.0/24"));
    // The next one that is free; former versions of hcloud-go send the gateway empty.
    await command(api, "add_subnet", { ...subnet(), gateway: "" });
    await command(api, "add_route", { destination: "10.99.0.0/16", gateway: "10.20.1.2" });
    await api.do("PUT", "/networks/1", { expose_routes_to_vswitch: true });
    const shown = { type: "cloud", network_zone: "eu-central", gateway: "10.20.0.1", vswitch_id: null };
    expect(await api.show("network", 1)).toEqual({
      id: 1,
      name: "net",
      ip_range: "10.20.0.0/16",
      subnets: [
        { ...shown, ip_range: "10.20.1.0/24" },
        { ...shown, ip_range: "10.20.0.0/24" },
      ],
      routes: [{ destination: "10.99.0.0/16", gateway: "10.20.1.2" }],
      servers: [],
      load_balancers: [],
      protection: { delete: false },
      labels: { a: "b" },
      created: "2026-01-01T00:00:00+00:00",
      expose_routes_to_vswitch: true,
    });
    await command(api, "delete_route", { destination: "10.99.0.0/16", gateway: "10.20.1.2" });
    await command(api, "delete_subnet", { ip_range: "10.20.0.0/24" });
    expect(await api.show("network", 1)).toMatchObject({ routes: [], subnets: [{ ip_range: "10.20.1.0/24" }] });
  });

  test.each(["8.8.0.0/16", "10.20.1.0/16", "10.20.0.0/25", "10.20.0.0", "fd00::/64", "10.300.0.0/16"])(
    "of the range %s is refused",
    async (ip_range) => {
      const api = new HetznerApi();
      expect(await api.refusal("POST", "/networks", { name: "net", ip_range })).toEqual([422, "invalid_input"]);
    },
  );

  test("refuses subnets and routes that do not fit", async () => {
    const api = new HetznerApi();
    await api.network();
    const invalid = [422, "invalid_input"];
    expect(await refusal(api, "add_subnet", subnet("10.21.0.0/24"))).toEqual(invalid);
    expect(await refusal(api, "add_subnet", subnet("10.20.1.128/25"))).toEqual(invalid);
    expect(await refusal(api, "add_subnet", { ...subnet(), network_zone: "mars" })).toEqual(invalid);
    expect(await refusal(api, "add_subnet", { ...subnet(), type: "vswitch", vswitch_id: 1 })).toEqual([
      501,
      "not_emulated",
    ]);
    expect(await refusal(api, "add_subnet", { ...subnet(), gateway: "10.20.0.9" })).toEqual(invalid);
    expect(await refusal(api, "delete_subnet", { ip_range: "10.20.2.0/24" })).toEqual(invalid);
    const route = { destination: "10.99.0.0/16", gateway: "10.20.1.2" };
    expect(await refusal(api, "add_route", { ...route, gateway: "10.20.0.1" })).toEqual(invalid);
    expect(await refusal(api, "add_route", { ...route, gateway: "nobody" })).toEqual(invalid);
    expect(await refusal(api, "add_route", { ...route, gateway: "11.0.0.1" })).toEqual(invalid);
    expect(await refusal(api, "add_route", { ...route, destination: "10.20.0.0/22" })).toEqual(invalid);
    expect(await refusal(api, "delete_route", route)).toEqual(invalid);
    await command(api, "add_route", route);
    expect(await refusal(api, "add_route", { ...route, gateway: "10.20.1.3" })).toEqual(invalid);
    expect(await refusal(api, "add_route", { ...route, destination: "10.99.128.0/17" })).toEqual(invalid);
    // The way to everywhere else goes beside the others.
    await command(api, "add_route", { ...route, destination: "0.0.0.0/0" });
    await command(api, "add_route", { ...route, destination: "10.98.0.0/16" });
    expect(await refusal(api, "change_ip_range", { ip_range: "10.0.0.0/8" })).toEqual(invalid);
    await command(api, "change_ip_range", { ip_range: "10.20.0.0/14" });
    expect(await refusal(api, "change_ip_range", { ip_range: "10.20.0.0/16" })).toEqual(invalid);
    const whole = { name: "whole", ip_range: "10.20.0.0/24", subnets: [subnet("10.20.0.0/24")] };
    await api.make("network", whole);
    expect(await api.refusal("POST", "/networks/2/actions/add_subnet", subnet())).toEqual([409, "conflict"]);
  });

  test("a subnet in use is not deleted", async () => {
    const api = new HetznerApi();
    await api.network();
    await command(api, "add_subnet", subnet("10.20.2.0/24"));
    await api.server({ networks: [1] });
    const { body } = await api.call("POST", "/networks/1/actions/delete_subnet", { ip_range: "10.20.1.0/24" });
    // The texts that the provider waits for.
    expect(body["error"]).toMatchObject({ code: "service_error", message: "servers are attached" });
    await command(api, "delete_subnet", { ip_range: "10.20.2.0/24" });
    await api.do("DELETE", "/servers/1");
    await command(api, "delete_subnet", { ip_range: "10.20.1.0/24" });
    await command(api, "change_protection", { delete: true });
    expect(await api.refusal("DELETE", "/networks/1")).toEqual([423, "protected"]);
    await command(api, "change_protection", { delete: false });
    expect((await api.call("DELETE", "/networks/1")).status).toBe(204);
  });

  test("has its name alone, and there is a limit", async () => {
    const api = new HetznerApi({ limits: { "hetzner.network": 1 } });
    await api.network();
    const asked = { name: "net", ip_range: "10.30.0.0/16" };
    expect(await api.refusal("POST", "/networks", asked)).toEqual([409, "uniqueness_error"]);
    expect(await api.refusal("POST", "/networks", { ...asked, name: "b" })).toEqual([403, "resource_limit_exceeded"]);
  });
});

describe("a server in a network", () => {
  test("has the address that it asked for, or the next one, and aliases", async () => {
    const api = new HetznerApi();
    await api.network();
    for (const name of ["a", "b", "c"]) await api.server({ name });
    await server(api, "attach_to_network", { network: 1, ip: "10.20.1.10", alias_ips: ["10.20.1.11", "10.20.1.1"] });
    await server(api, "attach_to_network", { network: 1 }, 2);
    // Its own address is none of those that it asks for as aliases.
    await server(api, "attach_to_network", { network: 1, alias_ips: ["10.20.1.3"], ip_range: "10.20.1.0/24" }, 3);
    const places = [];
    for (const id of [1, 2, 3]) places.push((await api.show("server", id))["private_net"]);
    expect(places).toMatchObject([
      [{ network: 1, ip: "10.20.1.10", alias_ips: ["10.20.1.11", "10.20.1.1"], mac_address: "86:00:00:01:00:01" }],
      [{ ip: "10.20.1.2" }],
      [{ ip: "10.20.1.4", alias_ips: ["10.20.1.3"] }],
    ]);
    expect(await api.show("network", 1)).toMatchObject({ servers: [1, 2, 3] });
    await server(api, "change_alias_ips", { network: 1, alias_ips: ["10.20.1.11", "10.20.1.20"] });
    await server(api, "detach_from_network", { network: 1 }, 2);
    expect(await api.show("server", 1)).toMatchObject({
      private_net: [{ ip: "10.20.1.10", alias_ips: ["10.20.1.11", "10.20.1.20"] }],
    });
    expect(await api.show("network", 1)).toMatchObject({ servers: [1, 3] });
  });

  test("gets no address that is taken, or is nobody's", async () => {
    const api = new HetznerApi();
    await api.network();
    await api.server({ networks: [1] });
    await api.server({ name: "b" });
    const attach = (rest: object) => serverRefusal(api, "attach_to_network", { network: 1, ...rest }, 2);
    const taken = [422, "ip_not_available"];
    for (const ip of ["10.20.1.1", "10.20.1.0", "10.20.1.255", "10.20.2.2", "nonsense"]) {
      expect(await attach({ ip })).toEqual(taken);
      expect(await attach({ alias_ips: [ip] })).toEqual(taken);
    }
    expect(await attach({ ip: "10.20.1.9", alias_ips: ["10.20.1.9"] })).toEqual(taken);
    expect(await attach({ alias_ips: ["10.20.1.9", "10.20.1.9"] })).toEqual([422, "invalid_input"]);
    expect(await attach({ ip_range: "10.20.9.0/24" })).toEqual([422, "no_subnet_available"]);
    expect(await attach({ network: 7 })).toEqual([404, "not_found"]);
    const change = (alias_ips: readonly string[]) => serverRefusal(api, "change_alias_ips", { network: 1, alias_ips });
    expect(await change(["10.20.1.1"])).toEqual(taken);
    expect(await change(["10.20.1.9", "10.20.1.9"])).toEqual([422, "invalid_input"]);
    expect(await serverRefusal(api, "change_alias_ips", { network: 1, alias_ips: [] }, 2)).toEqual([404, "not_found"]);
    expect(await serverRefusal(api, "detach_from_network", { network: 1 }, 2)).toEqual([404, "not_found"]);
  });

  test("is in it once, in none that overlaps, and in at most three", async () => {
    const api = new HetznerApi();
    for (const n of [1, 2, 3, 4]) {
      await api.network({ name: `n${n}`, ip_range: `10.2${n}.0.0/16`, subnets: [subnet(`10.2${n}.1.0/24`)] });
    }
    await api.network({ name: "overlap", ip_range: "10.0.0.0/8", subnets: [subnet("10.9.0.0/24")] });
    await api.server({ networks: [1] });
    expect(await serverRefusal(api, "attach_to_network", { network: 1 })).toEqual([422, "server_already_attached"]);
    expect(await serverRefusal(api, "attach_to_network", { network: 5 })).toEqual([422, "networks_overlap"]);
    for (const network of [2, 3]) await server(api, "attach_to_network", { network });
    expect(await serverRefusal(api, "attach_to_network", { network: 4 })).toEqual([403, "resource_limit_exceeded"]);
  });

  test("finds no place where all addresses are taken", async () => {
    const api = new HetznerApi();
    await api.network({ subnets: [subnet("10.20.1.0/30")] });
    await api.server({ networks: [1] });
    await api.server({ name: "second", networks: [1] });
    expect(
      await api.refusal("POST", "/servers", { name: "b", server_type: "cx23", image: "debian-12", networks: [1] }),
    ).toEqual([422, "no_subnet_available"]);
  });
});
