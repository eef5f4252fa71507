import type { FirewallRule } from "../../../../rehearsal/machines/machines.ts";
import { NoMachines } from "../../../../rehearsal/machines/none.ts";
import { HetznerApi } from "../support/hetzner.ts";

const open = (port: string) => ({ direction: "in", protocol: "tcp", port, source_ips: ["0.0.0.0/0", "::/0"] });
const server = (id: number) => ({ type: "server", server: { id } });
const byLabel = (selector: string) => ({ type: "label_selector", label_selector: { selector } });
const command = (api: HetznerApi, name: string, body: unknown) => api.do("POST", `/firewalls/1/actions/${name}`, body);
const refusal = (api: HetznerApi, name: string, body: unknown) =>
  api.refusal("POST", `/firewalls/1/actions/${name}`, body);

/** Machines, and the open ports of each; undefined: everything is open. */
function walls() {
  const ports = new Map<number, readonly (string | undefined)[] | undefined>();
  const setFirewall = (id: number, rules?: readonly FirewallRule[]): Promise<void> => {
    const open = rules?.map(({ port }) => port);
    ports.set(id, open);
    return Promise.resolve();
  };
  return { ports, machines: Object.assign(new NoMachines(), { setFirewall }) };
}

test("a firewall comes back as it was made", async () => {
  const api = new HetznerApi();
  await api.server({ labels: { role: "web" } });
  const rules = [
    { ...open("22"), description: "ssh" },
    { direction: "in", protocol: "icmp", source_ips: ["10.0.0.0/8"] },
    { direction: "out", protocol: "udp", port: "53", destination_ips: ["0.0.0.0/0"] },
  ];
  const made = await api.do("POST", "/firewalls", { name: "fire", rules, apply_to: [server(1), byLabel("role")] });
  expect(made["actions"]).toMatchObject([{ command: "apply_firewall" }]);
  const shown = { port: null, source_ips: [], destination_ips: [], description: null };
  expect(await api.show("firewall", 1)).toMatchObject({
    name: "fire",
    rules: rules.map((rule) => ({ ...shown, ...rule })),
    applied_to: [server(1), { ...byLabel("role"), applied_to_resources: [server(1)] }],
  });
  expect(await api.show("server", 1)).toMatchObject({ public_net: { firewalls: [{ id: 1, status: "applied" }] } });
});

test.each([
  ["no port", { ...open("80"), port: undefined }],
  ["a port that is none", open("80-")],
  ["a port beyond the last", open("65536")],
  ["a range that ends before it begins", open("90-80")],
  ["a port for ICMP", { ...open("80"), protocol: "icmp" }],
  ["bits behind a prefix", { ...open("80"), source_ips: ["10.0.0.1/8"] }],
  ["an address without a prefix", { ...open("80"), source_ips: ["10.0.0.1"] }],
  ["an IPv6 range that is none", { ...open("80"), source_ips: ["::::/0"] }],
  ["bits behind an IPv6 prefix", { ...open("80"), source_ips: ["2001:db8::1/64"] }],
  ["no source", { ...open("80"), source_ips: [] }],
  ["no destination", { direction: "out", protocol: "tcp", port: "80" }],
  ["an unknown protocol", { ...open("80"), protocol: "sctp" }],
])("a rule with %s is refused", async (_what, rule) => {
  const api = new HetznerApi();
  expect(await api.refusal("POST", "/firewalls", { name: "fire", rules: [rule] })).toEqual([422, "invalid_input"]);
});

test("at most 50 rules, and one name", async () => {
  const api = new HetznerApi({ limits: { "hetzner.firewall": 1 } });
  const rules = Array.from({ length: 51 }, (_, index) => open(String(index + 1)));
  expect(await api.refusal("POST", "/firewalls", { name: "fire", rules })).toEqual([422, "invalid_input"]);
  await api.make("firewall", { name: "fire", rules: rules.slice(1) });
  expect(await api.refusal("POST", "/firewalls", { name: "fire" })).toEqual([409, "uniqueness_error"]);
  expect(await api.refusal("POST", "/firewalls", { name: "b" })).toEqual([403, "resource_limit_exceeded"]);
});

test("the rules of all firewalls stand before a machine, and follow every change", async () => {
  const { ports, machines } = walls();
  const api = new HetznerApi({ machines });
  await api.server();
  expect(ports.get(1)).toBeUndefined();
  await api.make("firewall", { name: "fire", rules: [open("22")], apply_to: [server(1)] });
  await api.make("firewall", { name: "web", rules: [open("80")], apply_to: [byLabel("role=web")] });
  expect(ports.get(1)).toEqual(["22"]);
  await command(api, "set_rules", { rules: [open("23"), open("24")] });
  expect(ports.get(1)).toEqual(["23", "24"]);
  // A label that comes and goes brings a firewall along and takes it away.
  await api.do("PUT", "/servers/1", { labels: { role: "web" } });
  expect(ports.get(1)).toEqual(["23", "24", "80"]);
  await api.do("PUT", "/servers/1", { labels: {} });
  expect(ports.get(1)).toEqual(["23", "24"]);
  await command(api, "set_rules", { rules: [] });
  // Nothing is open, which is other than no firewall.
  expect(ports.get(1)).toEqual([]);
  await command(api, "remove_from_resources", { remove_from: [server(1)] });
  expect(ports.get(1)).toBeUndefined();
  await api.server({ name: "b", labels: { role: "web" }, firewalls: [{ firewall: 1 }] });
  expect(ports.get(2)).toEqual(["80"]);
});

test("it is applied once, and only to what is there and has a public address", async () => {
  const api = new HetznerApi();
  await api.network();
  await api.server();
  const inner = { networks: [1], public_net: { enable_ipv4: false, enable_ipv6: false } };
  await api.server({ name: "inner", ...inner });
  await api.make("firewall", { name: "fire" });
  const apply = (...apply_to: object[]) => refusal(api, "apply_to_resources", { apply_to });
  await command(api, "apply_to_resources", { apply_to: [server(1), byLabel("role=web")] });
  expect(await apply(server(1))).toEqual([422, "firewall_already_applied"]);
  expect(await apply(byLabel("role=web"))).toEqual([422, "firewall_already_applied"]);
  expect(await apply(server(2))).toEqual([422, "private_net_only_server"]);
  expect(await apply(server(7))).toEqual([404, "firewall_resource_not_found"]);
  expect(await apply(byLabel("not valid"))).toEqual([400, "invalid_input"]);
  expect(await apply({ type: "server" })).toEqual([422, "invalid_input"]);
  // What it was not applied to can be removed all the same.
  await command(api, "remove_from_resources", { remove_from: [server(2), byLabel("role=db")] });
  expect(await api.show("firewall", 1)).toMatchObject({ applied_to: [server(1), byLabel("role=web")] });
});

test("in use it is not deleted", async () => {
  const api = new HetznerApi();
  await api.server();
  await api.make("firewall", { name: "fire", apply_to: [server(1), byLabel("role=web")] });
  const inUse = [422, "resource_in_use"];
  expect(await api.refusal("DELETE", "/firewalls/1")).toEqual(inUse);
  await command(api, "remove_from_resources", { remove_from: [server(1)] });
  expect(await api.refusal("DELETE", "/firewalls/1")).toEqual(inUse);
  await command(api, "remove_from_resources", { remove_from: [byLabel("role=web")] });
  expect((await api.call("DELETE", "/firewalls/1")).status).toBe(204);
});
