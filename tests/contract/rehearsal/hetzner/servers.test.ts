import { NoMachines } from "../../../../rehearsal/machines/none.ts";
import { HetznerApi } from "../support/hetzner.ts";
import { publicKey } from "./tour.ts";

const smallest = { name: "a", server_type: "cx23", image: "debian-12" };
const privateOnly = { public_net: { enable_ipv4: false, enable_ipv6: false } };
const command = (api: HetznerApi, name: string, body?: unknown, id = 1) =>
  api.do("POST", `/servers/${id}/actions/${name}`, body);
const refusal = (api: HetznerApi, name: string, body?: unknown, id = 1) =>
  api.refusal("POST", `/servers/${id}/actions/${name}`, body);

describe("a new server", () => {
  test("comes back as the provider reads it", async () => {
    const api = new HetznerApi();
    await api.make("ssh_key", { name: "key", public_key: publicKey });
    await api.make("firewall", { name: "fire" });
    await api.make("placement_group", { name: "group", type: "spread" });
    await api.network();
    const body = {
      ...{ ...smallest, labels: { role: "db" }, location: "nbg1", ssh_keys: ["key"], user_data: "#cloud-config\n" },
      ...{ firewalls: [{ firewall: 1 }], placement_group: 1, networks: [1] },
    };
    const made = await api.do("POST", "/servers", body);
    expect(made).toMatchObject({ root_password: null, next_actions: [], action: { command: "create_server" } });
    expect(await api.show("server", 1)).toMatchObject({
      id: 1,
      name: "a",
      status: "running",
      labels: { role: "db" },
      server_type: { name: "cx23" },
      image: { name: "debian-12", type: "system" },
      location: { name: "nbg1", network_zone: "eu-central" },
      datacenter: { location: { name: "nbg1" } },
      public_net: {
        ipv4: { ip: "127.78.0.5", dns_ptr: "static.5.0.78.127.clients.your-server.de" },
        // The provider makes ::1 of it.
        ipv6: { ip: "2001:db8:4e:2::/64", dns_ptr: [] },
        firewalls: [{ id: 1, status: "applied" }],
      },
      private_net: [{ network: 1, ip: "10.20.1.1", alias_ips: [] }],
      placement_group: { id: 1, servers: [1] },
      primary_disk_size: 40,
      protection: { delete: false, rebuild: false },
    });
  });

  test("without a key it gets a password, and without start_after_create it stays off", async () => {
    const api = new HetznerApi();
    const { root_password: password } = await api.do("POST", "/servers", { ...smallest, start_after_create: false });
    expect(password).toMatch(/^\S{16}$/);
    expect(await api.show("server", 1)).toMatchObject({ status: "off" });
  });

  test("takes addresses that are there, and leaves them behind", async () => {
    const api = new HetznerApi();
    const address = (type: string) => api.make("primary_ip", { name: type, type, location: "fsn1" });
    const [ipv4, ipv6] = [await address("ipv4"), await address("ipv6")];
    await api.server({ public_net: { ipv4, ipv6 } });
    expect(await api.show("server", 1)).toMatchObject({ public_net: { ipv4: { id: ipv4 }, ipv6: { id: ipv6 } } });
    await api.do("DELETE", "/servers/1");
    expect(await api.show("primary_ip", ipv4)).toMatchObject({ assignee_id: null });
  });

  test("attaches Volumes, each by an action of its own", async () => {
    const api = new HetznerApi();
    for (const name of ["v", "w"]) await api.make("volume", { name, size: 10, location: "fsn1" });
    const { next_actions: next } = await api.do("POST", "/servers", { ...smallest, volumes: [1, 2], automount: true });
    expect(next).toMatchObject([{ command: "attach_volume" }, { command: "attach_volume" }]);
    expect(await api.show("server", 1)).toMatchObject({ volumes: [1, 2] });
    expect(await api.show("volume", 2)).toMatchObject({ server: 1 });
  });

  test("that cannot be made is refused, and leaves nothing behind", async () => {
    const refusals: readonly [what: object, status: number, code: string][] = [
      [{ name: undefined }, 422, "invalid_input"],
      [{ name: "a_b" }, 422, "invalid_input"],
      [{ server_type: "cx99" }, 422, "invalid_input"],
      [{ image: "windows" }, 422, "invalid_input"],
      [{ location: "mars1" }, 422, "invalid_input"],
      [{ ssh_keys: ["nobody"] }, 422, "invalid_input"],
      [{ networks: [7] }, 404, "not_found"],
      [{ firewalls: [{ firewall: 7 }] }, 404, "not_found"],
      [{ placement_group: 7 }, 404, "not_found"],
      [{ volumes: [7] }, 404, "not_found"],
      [{ labels: { "not valid": "x" } }, 422, "invalid_input"],
      [{ user_data: "x".repeat(32_769) }, 422, "invalid_input"],
      [privateOnly, 422, "invalid_input"],
      [{ networks: [1, 1] }, 422, "invalid_input"],
      [{ volumes: [1, 1] }, 422, "invalid_input"],
      [{ location: "hel1", volumes: [1] }, 422, "invalid_input"],
      [{ volumes: [2] }, 422, "volume_already_attached"],
      [{ public_net: { ipv4: 1 } }, 409, "primary_ip_assigned"],
      [{ public_net: { ipv6: 3 } }, 422, "primary_ip_version_mismatch"],
      [{ location: "hel1", public_net: { ipv4: 3 } }, 422, "primary_ip_datacenter_mismatch"],
      [{ networks: [2] }, 422, "no_subnet_available"],
      [{ networks: [1, 3] }, 422, "networks_overlap"],
      [{ name: "other" }, 409, "uniqueness_error"],
    ];
    const api = new HetznerApi();
    await api.network();
    await api.make("network", { name: "empty", ip_range: "10.30.0.0/16" });
    await api.network({ name: "same" });
    await api.server({ name: "other" });
    await api.make("volume", { name: "v", size: 10, location: "fsn1" });
    await api.make("volume", { name: "w", size: 10, server: 1 });
    await api.make("primary_ip", { name: "p", type: "ipv4", location: "fsn1" });
    const counts = () => [api.store.count("hetzner.server"), api.store.count("hetzner.primary_ip")];
    const before = counts();
    const found = [];
    for (const [what] of refusals)
      found.push([what, ...(await api.refusal("POST", "/servers", { ...smallest, ...what }))]);
    expect(found).toEqual(refusals);
    expect(counts()).toEqual(before);
    expect(await api.show("volume", 1)).toMatchObject({ server: null });
  });

  test("of a type that is sold out is refused", async () => {
    const api = new HetznerApi();
    await api.fault({ kind: "sold_out", serverType: "cx23", locations: ["fsn1"] });
    expect(await api.refusal("POST", "/servers", smallest)).toEqual([412, "resource_unavailable"]);
    await api.server({ location: "nbg1" });
    await api.server({ name: "b", server_type: "cpx12", start_after_create: false });
    const body = { server_type: "cx23", upgrade_disk: false };
    expect(await refusal(api, "change_type", body, 2)).toEqual([412, "resource_unavailable"]);
  });

  test("beyond a limit is refused, as are too many networks, Volumes, and servers of a group", async () => {
    const api = new HetznerApi({ limits: { "hetzner.server": 11 } });
    await api.make("placement_group", { name: "group", type: "spread" });
    for (const n of [1, 2, 3, 4]) {
      const ip_range = `10.2${n}.0.0/16`;
      await api.network({ name: `n${n}`, ip_range, subnets: [{ type: "cloud", network_zone: "eu-central" }] });
    }
    expect(await api.refusal("POST", "/servers", { ...smallest, networks: [1, 2, 3, 4] })).toEqual([
      422,
      "invalid_input",
    ]);
    const volumes = Array.from({ length: 17 }, (_, index) => index + 1);
    for (const n of volumes) await api.make("volume", { name: `v${n}`, size: 10, location: "fsn1" });
    expect(await api.refusal("POST", "/servers", { ...smallest, volumes })).toEqual([422, "invalid_input"]);
    for (let n = 1; n <= 10; n++) await api.server({ name: `s${n}`, placement_group: 1 });
    expect(await api.refusal("POST", "/servers", { ...smallest, placement_group: 1 })).toEqual([
      422,
      "placement_error",
    ]);
    await api.server();
    expect(await api.refusal("POST", "/servers", { ...smallest, name: "b" })).toEqual([403, "resource_limit_exceeded"]);
  });
});

describe("power", () => {
  test("each command leaves the machine and the status as it says", async () => {
    const machines = new NoMachines();
    const api = new HetznerApi({ machines });
    await api.server();
    const after = async (name: string) => {
      await command(api, name);
      return [(await api.show("server", 1))["status"], await machines.isRunning(1)];
    };
    expect(await after("poweroff")).toEqual(["off", false]);
    expect(await after("poweron")).toEqual(["running", true]);
    expect(await after("reboot")).toEqual(["running", true]);
    expect(await after("shutdown")).toEqual(["off", false]);
    expect(await after("reset")).toEqual(["running", true]);
  });

  test("a guest that does not shut down goes on running", async () => {
    const machines = new NoMachines();
    const api = new HetznerApi({ machines });
    await api.server();
    machines.shutdown = () => Promise.reject(new Error("the operating system did not shut down"));
    await command(api, "shutdown");
    expect(await api.show("server", 1)).toMatchObject({ status: "running" });
    expect(await api.show("action", 2)).toMatchObject({ status: "error", error: { code: "action_failed" } });
  });

  test("a machine that ended by itself is off, for every command and list", async () => {
    const machines = new NoMachines();
    const api = new HetznerApi({ machines });
    await api.server();
    await machines.powerOff(1);
    expect(await api.show("server", 1)).toMatchObject({ status: "off" });
    expect((await api.do("GET", "/servers?status=off"))["servers"]).toHaveLength(1);
    await command(api, "change_type", { server_type: "cx33", upgrade_disk: true });
    expect(await api.show("server", 1)).toMatchObject({ status: "running", server_type: { name: "cx33" } });
  });
});

describe("a server that exists", () => {
  test("gets another type only while it is off, and never a smaller disk", async () => {
    const api = new HetznerApi();
    await api.server();
    const to = (server_type: string, upgrade_disk = true) => ({ server_type, upgrade_disk });
    expect(await refusal(api, "change_type", to("cx33"))).toEqual([422, "server_not_stopped"]);
    await command(api, "poweroff");
    expect(await refusal(api, "change_type", to("cx99"))).toEqual([422, "invalid_input"]);
    expect(await refusal(api, "change_type", to("cx23"))).toEqual([422, "invalid_server_type"]);
    await command(api, "change_type", to("cx33", false));
    // It is powered on, and its disk fits into the old type again.
    expect(await api.show("server", 1)).toMatchObject({ status: "running", primary_disk_size: 40 });
    await command(api, "poweroff");
    await command(api, "change_type", to("cx23"));
    await command(api, "poweroff");
    await command(api, "change_type", to("cx33"));
    expect(await api.show("server", 1)).toMatchObject({ primary_disk_size: 80 });
    await command(api, "poweroff");
    expect(await refusal(api, "change_type", to("cx23"))).toEqual([422, "invalid_server_type"]);
  });

  test("is rebuilt from an image, with a password when it has no key", async () => {
    const api = new HetznerApi();
    await api.server();
    expect(await refusal(api, "rebuild", { image: "windows" })).toEqual([422, "invalid_input"]);
    const { root_password: password } = await command(api, "rebuild", { image: "debian-13" });
    expect(password).toMatch(/^\S{16}$/);
    expect(await api.show("server", 1)).toMatchObject({ status: "running", image: { name: "debian-13" } });
  });

  test("changes its placement group only while it is off", async () => {
    const api = new HetznerApi();
    await api.make("placement_group", { name: "group", type: "spread" });
    await api.server();
    expect(await refusal(api, "add_to_placement_group", { placement_group: 1 })).toEqual([422, "server_not_stopped"]);
    await command(api, "poweroff");
    expect(await refusal(api, "add_to_placement_group", { placement_group: 7 })).toEqual([404, "not_found"]);
    await command(api, "add_to_placement_group", { placement_group: 1 });
    expect(await api.show("placement_group", 1)).toMatchObject({ servers: [1] });
    await command(api, "remove_from_placement_group");
    expect(await api.show("placement_group", 1)).toMatchObject({ servers: [] });
  });

  test("is renamed and labelled, but not like another", async () => {
    const api = new HetznerApi();
    await api.server();
    await api.server({ name: "b" });
    await api.do("PUT", "/servers/1", { name: "c", labels: { role: "web" } });
    await api.do("PUT", "/servers/1", { name: "c" });
    expect(await api.show("server", 1)).toMatchObject({ name: "c", labels: { role: "web" } });
    expect(await api.refusal("PUT", "/servers/1", { name: "b" })).toEqual([409, "uniqueness_error"]);
    expect(await api.refusal("PUT", "/servers/1", { name: "" })).toEqual([422, "invalid_input"]);
    expect(await api.refusal("PUT", "/servers/1", { labels: { a: "not valid" } })).toEqual([422, "invalid_input"]);
  });

  test("is protected from deletion and rebuild, both or none", async () => {
    const api = new HetznerApi();
    await api.server();
    expect(await refusal(api, "change_protection", { delete: true, rebuild: false })).toEqual([422, "invalid_input"]);
    await command(api, "change_protection", { delete: true, rebuild: true });
    expect(await api.refusal("DELETE", "/servers/1")).toEqual([423, "protected"]);
    expect(await refusal(api, "rebuild", { image: "debian-12" })).toEqual([423, "protected"]);
    await command(api, "change_protection", { delete: false, rebuild: false });
    expect(await api.do("DELETE", "/servers/1")).toMatchObject({ action: { command: "delete_server" } });
    expect(await api.refusal("GET", "/servers/1")).toEqual([404, "not_found"]);
  });

  test("keeps its backups, rescue system, ISO and names of its addresses", async () => {
    const api = new HetznerApi();
    await api.server();
    await command(api, "enable_backup");
    expect(await command(api, "enable_rescue", { type: "linux64" })).toHaveProperty("root_password");
    await command(api, "attach_iso", { iso: "debian-12.0.0-amd64-netinst.iso" });
    await command(api, "change_dns_ptr", { ip: "127.78.0.5", dns_ptr: "a.example.com" });
    await command(api, "change_dns_ptr", { ip: "2001:db8:4e:2::1", dns_ptr: "b.example.com" });
    await command(api, "change_dns_ptr", { ip: "2001:db8:4e:2:f::9", dns_ptr: "c.example.com" });
    expect(await api.show("server", 1)).toMatchObject({
      backup_window: "22-02",
      rescue_enabled: true,
      iso: { id: 26631 },
      public_net: {
        ipv4: { dns_ptr: "a.example.com" },
        ipv6: {
          dns_ptr: [
            { ip: "2001:db8:4e:2::1", dns_ptr: "b.example.com" },
            { ip: "2001:db8:4e:2:f::9", dns_ptr: "c.example.com" },
          ],
        },
      },
    });
    for (const name of ["disable_backup", "disable_rescue", "detach_iso"]) await command(api, name);
    await command(api, "change_dns_ptr", { ip: "2001:db8:4e:2:f::9", dns_ptr: null });
    expect(await api.show("server", 1)).toMatchObject({
      backup_window: null,
      rescue_enabled: false,
      iso: null,
      public_net: { ipv6: { dns_ptr: [{ ip: "2001:db8:4e:2::1" }] } },
    });
    for (const ip of ["127.78.0.6", "2001:db8:4e:3::1", "nonsense"]) {
      expect(await refusal(api, "change_dns_ptr", { ip, dns_ptr: "x" })).toEqual([422, "invalid_input"]);
    }
    expect(await refusal(api, "attach_iso", { iso: "none.iso" })).toEqual([422, "invalid_input"]);
  });

  test("leaves nothing behind that it brought along, and gives back what it was given", async () => {
    const api = new HetznerApi();
    await api.server();
    await api.make("volume", { name: "v", size: 10, server: 1 });
    await api.make("floating_ip", { type: "ipv4", server: 1 });
    await api.make("firewall", { name: "fire", apply_to: [{ type: "server", server: { id: 1 } }] });
    await api.make("load_balancer", {
      ...{ name: "lb", load_balancer_type: "lb11", location: "fsn1" },
      targets: [{ type: "server", server: { id: 1 } }],
    });
    expect(await api.show("server", 1)).toMatchObject({ load_balancers: [1], public_net: { floating_ips: [1] } });
    await api.do("DELETE", "/servers/1");
    expect(api.store.list("hetzner.primary_ip")).toEqual([]);
    expect(await api.show("volume", 1)).toMatchObject({ server: null });
    expect(await api.show("floating_ip", 1)).toMatchObject({ server: null });
    expect(await api.show("firewall", 1)).toMatchObject({ applied_to: [] });
    expect(await api.show("load_balancer", 1)).toMatchObject({ targets: [] });
  });
});
