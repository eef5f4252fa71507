import { records } from "../../../../rehearsal/cloudflare/body.ts";
import type { BalancerSpec, Health } from "../../../../rehearsal/machines/machines.ts";
import { NoMachines } from "../../../../rehearsal/machines/none.ts";
import { ownCertificate } from "../support/certificate.ts";
import { HetznerApi } from "../support/hetzner.ts";

const command = (api: HetznerApi, name: string, body?: unknown) =>
  api.do("POST", `/load_balancers/1/actions/${name}`, body);
const refusal = (api: HetznerApi, name: string, body?: unknown) =>
  api.refusal("POST", `/load_balancers/1/actions/${name}`, body);
const smallest = { name: "lb", load_balancer_type: "lb11", location: "fsn1" };
const target = (id: number, use_private_ip = false) => ({ type: "server", server: { id }, use_private_ip });
const byLabel = (selector: string, use_private_ip = false) => ({
  ...{ type: "label_selector", label_selector: { selector }, use_private_ip },
});
const ip = (address: string) => ({ type: "ip", ip: { ip: address } });
const tcp = (port: number) => ({ protocol: "tcp", listen_port: port, destination_port: port });
const invalid = [422, "invalid_input"];

/** Keeps what each load balancer was told last, and whose targets are unwell. */
class Balancers extends NoMachines {
  readonly specs = new Map<number, BalancerSpec>();
  readonly unwell = new Set<string>();
  override setBalancer(spec: BalancerSpec): Promise<void> {
    this.specs.set(spec.id, spec);
    return super.setBalancer(spec);
  }
  override async balancerHealth(id: number): Promise<Readonly<Record<string, Health>>> {
    const health = Object.entries(await super.balancerHealth(id));
    return Object.fromEntries(health.map(([name, state]) => [name, this.unwell.has(name) ? "unhealthy" : state]));
  }
  /** The targets of the first load balancer, and where it reaches them. */
  get targets() {
    return Object.fromEntries((this.specs.get(1)?.targets ?? []).map(({ name, address }) => [name, address]));
  }
}

describe("a load balancer", () => {
  test("comes back with every default filled in", async () => {
    const api = new HetznerApi();
    await api.make("load_balancer", { ...smallest, labels: { a: "b" }, services: [{ protocol: "http" }] });
    expect(await api.show("load_balancer", 1)).toMatchObject({
      name: "lb",
      public_net: { enabled: true, ipv4: { ip: "127.78.0.5" }, ipv6: { ip: "2001:db8:24e:1::1" } },
      private_net: [],
      location: { name: "fsn1" },
      load_balancer_type: { name: "lb11", max_services: 5 },
      protection: { delete: false },
      labels: { a: "b" },
      algorithm: { type: "round_robin" },
      targets: [],
      services: [
        {
          protocol: "http",
          listen_port: 80,
          destination_port: 80,
          proxyprotocol: false,
          http: { cookie_name: "HCLBSTICKY", cookie_lifetime: 300, sticky_sessions: false, redirect_http: false },
          health_check: { protocol: "http", port: 80, interval: 15, timeout: 10, retries: 3, http: { path: "/" } },
        },
      ],
    });
    await api.make("load_balancer", { name: "zone", load_balancer_type: "lb11", network_zone: "eu-central" });
    expect(await api.show("load_balancer", 2)).toMatchObject({ location: { network_zone: "eu-central" } });
  });

  test.each([
    [{ load_balancer_type: "lb99" }, ...invalid],
    [{ location: "mars1" }, ...invalid],
    [{ location: undefined }, ...invalid],
    [{ algorithm: { type: "random" } }, ...invalid],
    [{ services: [tcp(80), tcp(80)] }, 409, "source_port_already_used"],
    [{ services: [1, 2, 3, 4, 5, 6].map(tcp) }, 403, "resource_limit_exceeded"],
    [{ targets: [target(7)] }, 404, "not_found"],
    [{ network: 7 }, 404, "not_found"],
    [{ name: "" }, ...invalid],
  ])("with %j is refused, and leaves nothing behind", async (rest, ...expected) => {
    const api = new HetznerApi();
    expect(await api.refusal("POST", "/load_balancers", { ...smallest, ...rest })).toEqual(expected);
    expect(api.store.count("hetzner.load_balancer")).toBe(0);
  });

  test("has its name alone, a limit, and a protection", async () => {
    const api = new HetznerApi({ limits: { "hetzner.load_balancer": 1 } });
    await api.make("load_balancer", smallest);
    expect(await api.refusal("POST", "/load_balancers", smallest)).toEqual([409, "uniqueness_error"]);
    expect(await api.refusal("POST", "/load_balancers", { ...smallest, name: "b" })).toEqual([
      403,
      "resource_limit_exceeded",
    ]);
    await command(api, "change_protection", { delete: true });
    expect(await api.refusal("DELETE", "/load_balancers/1")).toEqual([423, "protected"]);
    await command(api, "change_protection", { delete: false });
    expect((await api.call("DELETE", "/load_balancers/1")).status).toBe(200);
  });

  test("changes its type, algorithm and the names of its addresses", async () => {
    const api = new HetznerApi();
    await api.make("load_balancer", smallest);
    await command(api, "change_type", { load_balancer_type: "lb21" });
    await command(api, "change_algorithm", { type: "least_connections" });
    await command(api, "change_dns_ptr", { ip: "127.78.0.5", dns_ptr: "lb.example.com" });
    await command(api, "change_dns_ptr", { ip: "2001:db8:24e:1::1", dns_ptr: "lb6.example.com" });
    expect(await api.show("load_balancer", 1)).toMatchObject({
      load_balancer_type: { name: "lb21" },
      algorithm: { type: "least_connections" },
      public_net: { ipv4: { dns_ptr: "lb.example.com" }, ipv6: { dns_ptr: "lb6.example.com" } },
    });
    expect(await refusal(api, "change_dns_ptr", { ip: "127.78.0.6", dns_ptr: "x" })).toEqual(invalid);
    for (const port of [1, 2, 3, 4, 5, 6]) await command(api, "add_service", tcp(port));
    expect(await refusal(api, "change_type", { load_balancer_type: "lb11" })).toEqual([
      422,
      "invalid_load_balancer_type",
    ]);
    expect(await refusal(api, "change_type", { load_balancer_type: "lb99" })).toEqual(invalid);
    expect(await refusal(api, "change_algorithm", { type: "random" })).toEqual(invalid);
  });
});

describe("services", () => {
  test("are added, changed in part, and deleted", async () => {
    const machines = new Balancers();
    const api = new HetznerApi({ machines });
    await api.make("certificate", { name: "own", ...(await pem()) });
    await api.make("load_balancer", smallest);
    await command(api, "add_service", {
      protocol: "http",
      listen_port: 80,
      destination_port: 8080,
      proxyprotocol: true,
    });
    await command(api, "add_service", { protocol: "https", destination_port: 8080, http: { certificates: [1] } });
    const health_check = { protocol: "tcp", interval: 5, timeout: 3 };
    await command(api, "update_service", { listen_port: 80, http: { sticky_sessions: true }, health_check });
    const { services } = await api.show("load_balancer", 1);
    expect(services).toMatchObject([
      {
        destination_port: 8080,
        proxyprotocol: true,
        http: { sticky_sessions: true },
        health_check: { protocol: "tcp", port: 8080, interval: 5, timeout: 3, retries: 3 },
      },
      { listen_port: 443, http: { certificates: [1] } },
    ]);
    expect(records(services)[0]?.["health_check"]).not.toHaveProperty("http");
    const [first, second] = machines.specs.get(1)?.services ?? [];
    expect(first).toMatchObject({
      listenPort: 80,
      destinationPort: 8080,
      cookie: { name: "HCLBSTICKY", lifetime: 300 },
    });
    expect(second?.certificates[0]).toMatch(/BEGIN CERTIFICATE[^]*BEGIN PRIVATE KEY/);
    await command(api, "delete_service", { listen_port: 443 });
    expect(machines.specs.get(1)?.services).toHaveLength(1);
  });

  test.each([
    ["add_service", { protocol: "tcp", listen_port: 81 }, ...invalid],
    ["add_service", { protocol: "tcp", destination_port: 81 }, ...invalid],
    ["add_service", { listen_port: 81, destination_port: 81 }, ...invalid],
    ["add_service", { protocol: "https" }, ...invalid],
    ["add_service", { protocol: "https", http: { certificates: [7] } }, 404, "not_found"],
    ["add_service", { protocol: "http", listen_port: 81, http: { redirect_http: true } }, ...invalid],
    ["add_service", { ...tcp(81), health_check: { interval: 5, timeout: 6 } }, ...invalid],
    ["add_service", tcp(65_536), ...invalid],
    ["add_service", { protocol: "http" }, 409, "source_port_already_used"],
    ["update_service", { listen_port: 81 }, 404, "not_found"],
    ["update_service", { listen_port: 80, protocol: "https" }, ...invalid],
    ["update_service", {}, ...invalid],
    ["delete_service", { listen_port: 81 }, 404, "not_found"],
  ])("%s %j is refused", async (name, body, ...expected) => {
    const api = new HetznerApi();
    await api.make("load_balancer", { ...smallest, services: [{ protocol: "http" }] });
    expect(await refusal(api, name, body)).toEqual(expected);
  });

  test("keep the certificate that they use from being deleted", async () => {
    const api = new HetznerApi();
    await api.make("certificate", { name: "own", ...(await pem()) });
    await api.make("load_balancer", { ...smallest, services: [{ protocol: "https", http: { certificates: [1] } }] });
    expect(await api.show("certificate", 1)).toMatchObject({ used_by: [{ id: 1, type: "load_balancer" }] });
    expect(await api.refusal("DELETE", "/certificates/1")).toEqual([422, "resource_in_use"]);
    await api.do("DELETE", "/load_balancers/1");
    expect((await api.call("DELETE", "/certificates/1")).status).toBe(204);
  });
});

describe("targets", () => {
  test("are reached at their addresses, and each says how it is", async () => {
    const machines = new Balancers();
    const api = new HetznerApi({ machines });
    await api.network();
    await api.server({ networks: [1] });
    await api.server({ name: "b", labels: { role: "web" } });
    await api.make("load_balancer", { ...smallest, network: 1, services: [tcp(80), tcp(81)] });
    await command(api, "add_target", target(1, true));
    await command(api, "add_target", byLabel("role=web"));
    await command(api, "add_target", ip("203.0.113.1"));
    expect(machines.targets).toEqual({
      "server-1": "10.20.1.1",
      "server-2": "127.78.0.6",
      "ip-203.0.113.1": "203.0.113.1",
    });
    machines.unwell.add("server-2:81");
    const well = (...states: string[]) => states.map((status, index) => ({ listen_port: 80 + index, status }));
    const health = (...states: string[]) => ({ health_status: well(...states) });
    expect((await api.show("load_balancer", 1))["targets"]).toEqual([
      { ...target(1, true), ...health("healthy", "healthy") },
      { ...byLabel("role=web"), targets: [{ ...target(2), ...health("healthy", "unhealthy") }] },
      { ...ip("203.0.113.1"), ...health("healthy", "healthy") },
    ]);
  });

  test("come and go with labels, networks, addresses and servers", async () => {
    const machines = new Balancers();
    const api = new HetznerApi({ machines });
    await api.network();
    await api.server();
    await api.make("load_balancer", { ...smallest, network: 1, targets: [byLabel("role=web")] });
    expect(machines.targets).toEqual({});
    await api.do("PUT", "/servers/1", { labels: { role: "web" } });
    expect(machines.targets).toEqual({ "server-1": "127.78.0.5" });
    await api.server({ name: "b", labels: { role: "web" } });
    expect(machines.targets).toEqual({ "server-1": "127.78.0.5", "server-2": "127.78.0.7" });
    await api.do("DELETE", "/servers/2");
    expect(machines.targets).toEqual({ "server-1": "127.78.0.5" });
    await api.do("POST", "/servers/1/actions/poweroff");
    await api.do("POST", "/primary_ips/1/actions/unassign");
    expect(machines.targets).toEqual({});
    await command(api, "remove_target", byLabel("role=web"));
    await command(api, "add_target", byLabel("role=web", true));
    await api.do("POST", "/servers/1/actions/attach_to_network", { network: 1, ip: "10.20.1.9" });
    expect(machines.targets).toEqual({ "server-1": "10.20.1.9" });
    await api.do("POST", "/servers/1/actions/detach_from_network", { network: 1 });
    expect(machines.targets).toEqual({});
  });

  test("that are deleted servers are forgotten by the machine, too", async () => {
    const machines = new Balancers();
    const api = new HetznerApi({ machines });
    await api.server();
    await api.make("load_balancer", { ...smallest, targets: [target(1)] });
    expect(machines.targets).toEqual({ "server-1": "127.78.0.5" });
    await api.do("DELETE", "/servers/1");
    expect(machines.targets).toEqual({});
  });

  test("are refused where they cannot be reached, or are there", async () => {
    const api = new HetznerApi();
    await api.network();
    await api.server();
    await api.server({ name: "inner", networks: [1], public_net: { enable_ipv4: false, enable_ipv6: false } });
    await api.make("load_balancer", { ...smallest, targets: [target(1)] });
    const add = (body: object) => refusal(api, "add_target", body);
    expect(await add(target(1))).toEqual([409, "target_already_defined"]);
    expect(await add(target(7))).toEqual([404, "not_found"]);
    expect(await add(target(2))).toEqual([422, "missing_ipv4"]);
    expect(await add(target(2, true))).toEqual([422, "load_balancer_not_attached_to_network"]);
    expect(await add(byLabel("not valid"))).toEqual([400, "invalid_input"]);
    expect(await add(ip("nonsense"))).toEqual(invalid);
    expect(await add({ type: "server" })).toEqual(invalid);
    expect(await refusal(api, "remove_target", target(2))).toEqual([404, "not_found"]);
    await command(api, "attach_to_network", { network: 1 });
    await command(api, "remove_target", target(1));
    expect(await add(target(1, true))).toEqual([422, "server_not_attached_to_network"]);
    for (let n = 1; n <= 25; n++) await command(api, "add_target", ip(`203.0.113.${n}`));
    expect(await add(ip("203.0.113.26"))).toEqual([403, "resource_limit_exceeded"]);
  });

  test("keep their server in the network, and their address on it", async () => {
    const api = new HetznerApi();
    await api.network();
    await api.server({ networks: [1] });
    await api.make("load_balancer", { ...smallest, network: 1, targets: [target(1, true)] });
    const detach = () => api.refusal("POST", "/servers/1/actions/detach_from_network", { network: 1 });
    expect(await detach()).toEqual([422, "resource_in_use"]);
    await command(api, "remove_target", target(1));
    await command(api, "add_target", target(1));
    await api.do("POST", "/servers/1/actions/poweroff");
    const isTarget = [422, "server_is_load_balancer_target"];
    expect(await api.refusal("POST", "/primary_ips/1/actions/unassign")).toEqual(isTarget);
    await command(api, "remove_target", target(1));
    await api.do("POST", "/servers/1/actions/detach_from_network", { network: 1 });
    await api.do("POST", "/primary_ips/1/actions/unassign");
  });
});

test("networks: it is in one, and hides its public interface only there", async () => {
  const machines = new Balancers();
  const api = new HetznerApi({ machines });
  await api.network();
  await api.network({ name: "empty", subnets: [] });
  await api.server({ networks: [1] });
  await api.make("load_balancer", smallest);
  expect(await refusal(api, "disable_public_interface")).toEqual([422, "load_balancer_not_attached_to_network"]);
  expect(await refusal(api, "attach_to_network", { network: 2 })).toEqual([422, "no_subnet_available"]);
  expect(await refusal(api, "attach_to_network", { network: 1, ip: "10.20.1.1" })).toEqual([422, "ip_not_available"]);
  expect(await refusal(api, "detach_from_network", { network: 1 })).toEqual([404, "not_found"]);
  await command(api, "attach_to_network", { network: 1, ip: "10.20.1.5" });
  expect(await refusal(api, "attach_to_network", { network: 1 })).toEqual([409, "load_balancer_already_attached"]);
  expect(await api.show("network", 1)).toMatchObject({ load_balancers: [1] });
  await command(api, "add_target", target(1));
  expect(await refusal(api, "disable_public_interface")).toEqual([422, "targets_without_use_private_ip"]);
  await command(api, "remove_target", target(1));
  await command(api, "add_target", target(1, true));
  await command(api, "disable_public_interface");
  expect(await api.show("load_balancer", 1)).toMatchObject({
    public_net: { enabled: false },
    private_net: [{ network: 1, ip: "10.20.1.5" }],
  });
  expect(machines.specs.get(1)).toMatchObject({ publicAddress: undefined, networks: [{ address: "10.20.1.5" }] });
  expect(await refusal(api, "detach_from_network", { network: 1 })).toEqual([422, "service_error"]);
  await command(api, "remove_target", target(1));
  // The provider leaves a network like this.
  await command(api, "detach_from_network", { network: 1 });
  expect(machines.specs.get(1)).toMatchObject({ publicAddress: undefined, networks: [] });
  await command(api, "enable_public_interface");
  expect(machines.specs.get(1)).toMatchObject({ publicAddress: "127.78.0.6", networks: [] });
});

async function pem() {
  const { certificate, privateKey } = await ownCertificate("probe.example.com");
  return { certificate, private_key: privateKey };
}
