/** Which ports of a server the others may connect to, and from which addresses. */
import { peersOf, publishedOn } from "../../../topology/peers.ts";
import { plan } from "../../../topology/plan.ts";
import type { Topology } from "../../../topology/topology.ts";
import { settingsOf } from "../support/settings.ts";

const scale = plan("prod", settingsOf("scale"));

/** The rules of a server, as `port from`. */
function rules(topology: Topology, name: string): string[] {
  const server = topology.servers.find((one) => one.name === name);
  if (!server) throw new Error(`no server ${name}`);
  return peersOf(topology, server).map(({ from, port }) => `${port} ${from}`);
}

/** The same plan without services, but for those of some kinds. */
const only = (topology: Topology, ...kinds: readonly string[]): Topology => ({
  ...topology,
  services: topology.services.filter(({ kind }) => kinds.includes(kind)),
});

test("the load balancer reaches the edge beside each app by its own address alone", () => {
  const at = (address: string) => [80, 443, 8081].map((port) => `${port} ${address}-${address}`);
  expect(rules(only(scale, "edge"), "app-nbg1-1")).toEqual(at("10.20.1.5"));
  // One address for each balancer, and none without balancers.
  const [balancer] = scale.loadBalancers;
  if (!balancer) throw new Error("phase scale has a load balancer");
  const two = { ...only(scale, "edge"), loadBalancers: [balancer, { ...balancer, privateAddress: "10.20.1.6" }] };
  expect(rules(two, "app-nbg1-1")).toEqual([...at("10.20.1.5"), ...at("10.20.1.6")]);
  expect(rules({ ...two, loadBalancers: [] }, "app-nbg1-1")).toEqual([]);
});

test("apps and workers may come to the database from everywhere they can be, whether or not they are planned", () => {
  const addresses = ["5432 10.20.1.101-10.20.1.130", "5432 10.20.1.131-10.20.1.160"];
  expect(rules(only(scale, "database"), "core-1")).toEqual(addresses);
  expect(rules(only(scale, "database", "replica"), "core-1")).toEqual(["5432 10.20.1.21-10.20.1.30", ...addresses]);
});

test("what only the server itself reaches is open to nobody", () => {
  const [server] = scale.servers.filter(({ name }) => name === "worker-nbg1-1");
  if (!server) throw new Error("phase scale has a worker");
  // Flower listens at the loopback address.
  expect(scale.services.some(({ kind, server: at }) => kind === "flower" && at === server.name)).toBe(true);
  expect(publishedOn(scale, server)).toEqual([]);
  expect(rules(scale, "worker-nbg1-1")).toEqual([]);
});

test("a service without callers, and a server without services, has no rule", () => {
  expect(rules(only(scale), "core-1")).toEqual([]);
  expect(rules(only(scale, "flower", "beat", "worker"), "worker-nbg1-1")).toEqual([]);
});
