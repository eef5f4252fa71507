/** API routes of private networks, their subnets and routes. */
import { z } from "zod";
import { stampOf, type Subject } from "./actions.ts";
import { contains, gatewayOf, isHostOf, nextSubnet, numberOf, overlaps, type Range, rangeOf } from "./addresses.ts";
import { cidr, id, labels, maybe, name, parse } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { convergeBalancer, convergeNetwork, convergeNetworksOf } from "./converge.ts";
import { conflict, invalid, notEmulated, refused, serviceError } from "./errors.ts";
import type { ResourceType, Routes } from "./resources.ts";
import type { Network, Subnet } from "./state.ts";

const subnetSchema = z.strictObject({
  type: z.enum(["cloud", "server", "vswitch"]),
  network_zone: z.string(),
  ip_range: maybe(cidr),
  vswitch_id: maybe(id),
  /** Not a client's to choose; hcloud-go before 2.0, as in Debian's hcloud 1.30, sends it empty. */
  gateway: maybe(z.literal("")),
});
const everywhere = "0.0.0.0/0";
const routeSchema = z.strictObject({ destination: cidr, gateway: z.string() });

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(known);

const createSchema = z.strictObject({
  name,
  ip_range: cidr,
  labels: maybe(labels),
  subnets: maybe(z.array(subnetSchema)),
  routes: maybe(z.array(routeSchema)),
  expose_routes_to_vswitch: maybe(z.boolean()),
});

const kind = "hetzner.network";
const subjectOf = (network: Network): Subject => ({ id: network.id, type: "network" });

export function registerNetworks(routes: Routes): void {
  const { cloud } = routes;
  const type: ResourceType<typeof kind> = {
    kind,
    path: "networks",
    singular: "network",
    name,
    view: (network) => viewOf(cloud, network),
    update: (rest) => {
      const asked = parse(z.strictObject({ expose_routes_to_vswitch: maybe(z.boolean()) }), rest);
      return asked.expose_routes_to_vswitch === undefined ? {} : { exposeRoutes: asked.expose_routes_to_vswitch };
    },
    remove: (network) => {
      remove(cloud, network);
      return undefined;
    },
  };
  routes.differs(["POST /networks", "POST /networks/:id/actions/add_subnet"], "a subnet of type vswitch is refused");
  routes.differs(["POST /networks/:id/actions/add_route"], "refused where servers are machines");
  routes.differs(["POST /networks/:id/actions/change_ip_range"], "refused while resources are attached");
  routes.post("/networks", ({ body }) => {
    const asked = parse(createSchema, body);
    return cloud.store.transaction(() => create(cloud, asked));
  });
  routes.command(type, "add_subnet", (network, body) =>
    change(cloud, network, "add_subnet", withSubnet(cloud, network, parse(subnetSchema, body))),
  );
  routes.command(type, "delete_subnet", (network, body) => deleteSubnet(cloud, network, body));
  routes.command(type, "add_route", (network, body) =>
    change(cloud, network, "add_route", withRoute(cloud, network, parse(routeSchema, body))),
  );
  routes.command(type, "delete_route", (network, body) => deleteRoute(cloud, network, body));
  routes.command(type, "change_ip_range", (network, body) => changeIpRange(cloud, network, body));
  routes.protection(type);
  routes.resource(type);
}

function create(cloud: Cloud, asked: z.infer<typeof createSchema>) {
  cloud.requireFreeName(kind, asked.name);
  cloud.requireRoom(kind);
  const range = known(asked.ip_range);
  if (!privateRanges.some((one) => contains(one, range)) || range.bits > 24) {
    throw invalid("ip_range", "must be a private network (RFC 1918) of at least /24");
  }
  let network: Network = {
    id: cloud.store.nextId(kind),
    name: asked.name,
    labels: asked.labels ?? {},
    created: stampOf(cloud.now()),
    range: asked.ip_range,
    subnets: [],
    routes: [],
    exposeRoutes: asked.expose_routes_to_vswitch ?? false,
    protection: { delete: false },
  };
  for (const subnet of asked.subnets ?? []) network = withSubnet(cloud, network, subnet);
  for (const route of asked.routes ?? []) network = withRoute(cloud, network, route);
  const { id: own } = network;
  cloud.store.put(kind, own, network);
  // The real API creates networks without an action; attaching a server waits for this work in the machines.
  void cloud.background(subjectOf(network), () => convergeNetwork(cloud, own));
  return { network: viewOf(cloud, network) };
}

function change(cloud: Cloud, network: Network, command: string, next: Partial<Network>) {
  if (cloud.actions.isBusy(subjectOf(network))) throw conflict("a change is being performed on this network");
  const apply = () => void cloud.change(kind, network.id, () => next);
  return { action: cloud.actions.start(command, [subjectOf(network)], apply, () => Promise.resolve()) };
}

function deleteSubnet(cloud: Cloud, network: Network, body: unknown) {
  const { ip_range: range } = parse(z.strictObject({ ip_range: cidr }), body);
  if (!network.subnets.some((one) => one.range === range)) throw invalid("ip_range", `no subnet ${range}`);
  if (membersOf(cloud, network).some((address) => isHostOf(range, address))) {
    throw serviceError("servers are attached");
  }
  return change(cloud, network, "delete_subnet", { subnets: network.subnets.filter((one) => one.range !== range) });
}

function deleteRoute(cloud: Cloud, network: Network, body: unknown) {
  const { destination, gateway } = parse(routeSchema, body);
  const rest = network.routes.filter((one) => one.destination !== destination || one.gateway !== gateway);
  if (rest.length === network.routes.length) throw invalid("destination", `no route to ${destination} by ${gateway}`);
  return change(cloud, network, "delete_route", { routes: rest });
}

function changeIpRange(cloud: Cloud, network: Network, body: unknown) {
  const { ip_range: text } = parse(z.strictObject({ ip_range: cidr }), body);
  const range = known(text);
  const now = known(network.range);
  if (!contains(range, now) || range.first !== now.first) {
    throw invalid("ip_range", "a network can only be made larger, at its end");
  }
  if (membersOf(cloud, network).length > 0) {
    throw notEmulated("change_ip_range of a network with attached resources");
  }
  return change(cloud, network, "change_ip_range", { range: text });
}

/** Deletes a network; what is attached is detached. */
function remove(cloud: Cloud, network: Network): void {
  const { store } = cloud;
  cloud.requireIdle(subjectOf(network));
  const servers = store
    .list("hetzner.server")
    .filter((one) => one.networks.some((place) => place.network === network.id));
  const balancers = store.list("hetzner.load_balancer").filter((one) => one.network?.id === network.id);
  // Targets that a load balancer reaches there it would reach no more.
  if (balancers.some(({ targets }) => targets.some(({ usePrivateIp }) => usePrivateIp))) {
    throw serviceError("network has attached resources");
  }
  for (const { id: server } of servers) cloud.requireIdle({ id: server, type: "server" });
  for (const { id: balancer } of balancers) cloud.requireIdle({ id: balancer, type: "load_balancer" });
  for (const { id: server } of servers) {
    cloud.change("hetzner.server", server, ({ networks }) => ({
      networks: networks.filter((place) => place.network !== network.id),
    }));
  }
  for (const { id: balancer } of balancers)
    cloud.change("hetzner.load_balancer", balancer, () => ({ network: undefined }));
  cloud.remove(kind, subjectOf(network), async () => {
    for (const { id: server } of servers) await convergeNetworksOf(cloud, server);
    for (const { id: balancer } of balancers) await convergeBalancer(cloud, balancer);
    await convergeNetwork(cloud, network.id);
  });
}

function known(text: string): Range {
  const range = rangeOf(text);
  if (!range) throw new Error(`${text} is not a network in CIDR notation`);
  return range;
}

/** Private addresses of the servers and load balancers in a network. */
function membersOf(cloud: Cloud, { id: wanted }: Network): string[] {
  const servers = cloud.store.list("hetzner.server").flatMap(({ networks }) => networks);
  const balancers = cloud.store.list("hetzner.load_balancer").flatMap((one) => one.network ?? []);
  return [
    ...servers.flatMap(({ network, ip }) => (network === wanted ? [ip] : [])),
    ...balancers.flatMap((one) => (one.id === wanted ? [one.ip] : [])),
  ];
}

function viewOf(cloud: Cloud, network: Network) {
  const servers = cloud.store.list("hetzner.server");
  const balancers = cloud.store.list("hetzner.load_balancer");
  return {
    id: network.id,
    name: network.name,
    ip_range: network.range,
    subnets: network.subnets.map(({ type, range, zone }) => ({
      type,
      ip_range: range,
      network_zone: zone,
      gateway: gatewayOf(network.range),
      vswitch_id: null,
    })),
    routes: network.routes,
    servers: servers.flatMap((one) => (one.networks.some((place) => place.network === network.id) ? [one.id] : [])),
    load_balancers: balancers.flatMap((one) => (one.network?.id === network.id ? [one.id] : [])),
    protection: network.protection,
    labels: network.labels,
    created: network.created,
    expose_routes_to_vswitch: network.exposeRoutes,
  };
}

function withSubnet(cloud: Cloud, network: Network, asked: z.infer<typeof subnetSchema>): Network {
  if (asked.type === "vswitch") throw notEmulated("a subnet of type vswitch");
  if (asked.vswitch_id !== undefined) throw invalid("vswitch_id", "needs the type vswitch");
  const zones = cloud.catalogue.locations.map((one) => one.network_zone);
  if (!zones.includes(asked.network_zone)) throw invalid("network_zone", `unknown zone '${asked.network_zone}'`);
  const others = network.subnets.map((one) => known(one.range));
  const text = asked.ip_range ?? nextSubnet(network.range, others);
  if (text === undefined) throw conflict("the network has no room for another subnet");
  const range = known(text);
  if (!contains(known(network.range), range)) throw invalid("ip_range", `is not within ${network.range}`);
  if (others.some((one) => overlaps(one, range))) throw invalid("ip_range", "overlaps with another subnet");
  const subnet: Subnet = { type: asked.type, range: text, zone: asked.network_zone };
  return { ...network, subnets: [...network.subnets, subnet] };
}

function withRoute({ machines }: Cloud, network: Network, route: z.infer<typeof routeSchema>): Network {
  // No machine sends its packets there.
  if (machines.kind !== "none") throw notEmulated("a route of a network with machines");
  if (numberOf(route.gateway) === undefined) throw invalid("gateway", "must be an IPv4 address");
  if (route.gateway === gatewayOf(network.range)) throw invalid("gateway", "must not be the network's own gateway");
  if (!isHostOf(network.range, route.gateway)) {
    throw refused(`network route gateway not part of the network IP range (${network.range})`);
  }
  if (network.routes.some(({ destination }) => destination === route.destination)) {
    throw invalid("destination", `a route to ${route.destination} exists already`);
  }
  const taken = [...network.subnets.map(({ range }) => range), ...network.routes.map((one) => one.destination)];
  // The way to everywhere else overlaps with all of them, and may.
  const isOverlap = (one: string): boolean =>
    ![one, route.destination].includes(everywhere) && overlaps(known(one), known(route.destination));
  if (taken.some(isOverlap))
    throw refused("network route destination overlaps with another subnetwork or network route");
  return { ...network, routes: [...network.routes, route] };
}
