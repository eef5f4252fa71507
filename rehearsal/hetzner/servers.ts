/** API routes of servers: creation, deletion, attachment to networks. */
import { z } from "zod";
import { requireNoOverlap } from "./address-book.ts";
import { hostName, id, maybe, parse } from "./body.ts";
import { convergeBalancersOf, convergeFirewalls, convergeServer } from "./converge.ts";
import { HetznerError, inUse, notFound } from "./errors.ts";
import { textsOf } from "./listing.ts";
import { registerPower } from "./power.ts";
import type { ResourceType, Routes } from "./resources.ts";
import { createServer } from "./server-create.ts";
import { registerServerExtras } from "./server-extras.ts";
import { balancersOf, interfacesOf } from "./server-links.ts";
import { observeServer, serverView } from "./server-view.ts";
import type { Server } from "./state.ts";

export function registerServers(routes: Routes): void {
  const { cloud } = routes;
  const subjectOf = (server: Server) => ({ id: server.id, type: "server" });
  const type: ResourceType<"hetzner.server"> = {
    kind: "hetzner.server",
    path: "servers",
    singular: "server",
    name: hostName,
    view: (server) => serverView(cloud, server),
    observe: (server) => observeServer(cloud, server),
    filters: {
      status: [
        ...["running", "initializing", "starting", "stopping", "off"],
        ...["deleting", "migrating", "rebuilding", "unknown"],
      ],
    },
    matches: ({ status }, query) => {
      const wanted = textsOf(query, "status");
      return wanted.length === 0 || wanted.includes(status);
    },
    relabelled: (server) => {
      // Firewalls and load balancers select servers by label.
      void cloud.background(subjectOf(server), async () => {
        await convergeFirewalls(cloud, server.id);
        await convergeBalancersOf(cloud, server.id);
      });
    },
    remove: (server) => {
      cloud.requireIdle(subjectOf(server));
      const apply = () => void cloud.change("hetzner.server", server.id, () => ({ status: "deleting" as const }));
      return cloud.actions.start("delete_server", [subjectOf(server)], apply, () => convergeServer(cloud, server.id));
    },
  };
  routes.differs(["POST /servers"], "machines run debian-12 on x86 only; public IPv6 addresses are shown, not routed");
  routes.post("/servers", ({ body }) => {
    const { server, action, nextActions } = cloud.store.transaction(() => createServer(cloud, body));
    return {
      server: serverView(cloud, server),
      action,
      next_actions: nextActions,
      root_password: server.rootPassword ?? null,
    };
  });
  registerPower(routes, type);
  registerServerExtras(routes, type);
  registerServerNetworks(routes, type);
  routes.resource(type);
}

const mostNetworks = 3;
const aliases = z
  .array(z.string())
  .refine((list) => new Set(list).size === list.length, "must not contain an address twice");

/** Private addresses, as `AddressBook.reserve` takes them. */
const addressesIn = (networks: Server["networks"]): string[] =>
  networks.flatMap(({ network, ip, aliasIps }) => [ip, ...aliasIps].map((one) => `${network}/${one}`));

/** Commands that attach servers to private networks and change their alias addresses. */
function registerServerNetworks(routes: Routes, type: ResourceType<"hetzner.server">): void {
  const { cloud } = routes;
  const change = (command: string, server: Server, network: number, networks: Server["networks"]) => {
    const subjects = [
      { id: server.id, type: "server" },
      { id: network, type: "network" },
    ];
    const kept = addressesIn(networks);
    let release: () => void = () => undefined;
    const apply = () => {
      cloud.change("hetzner.server", server.id, () => ({ networks }));
      release = cloud.addresses.reserve(addressesIn(server.networks).filter((one) => !kept.includes(one)));
    };
    const work = async () => {
      const now = cloud.require("hetzner.server", server.id);
      await cloud.machines.setNetworks(server.id, interfacesOf(cloud, now));
      await convergeBalancersOf(cloud, server.id);
    };
    return { action: cloud.actions.start(command, subjects, apply, () => work().finally(release)) };
  };
  const placeIn = (server: Server, network: number) => {
    const place = server.networks.find((one) => one.network === network);
    if (!place) throw notFound("network of the server", network);
    return place;
  };

  routes.command(type, "attach_to_network", (server, body) => {
    const schema = z.strictObject({
      network: id,
      ip: maybe(z.string()),
      ip_range: maybe(z.string()),
      alias_ips: maybe(aliases),
    });
    const asked = parse(schema, body);
    const joined = cloud.require("hetzner.network", asked.network);
    if (server.networks.some(({ network }) => network === asked.network)) {
      throw new HetznerError(422, "server_already_attached", "server is already attached to the network");
    }
    cloud.requireIdle({ id: server.id, type: "server" });
    if (server.networks.length >= mostNetworks) {
      throw new HetznerError(403, "resource_limit_exceeded", `a server is in at most ${mostNetworks} networks`);
    }
    const zone = cloud.catalogue.zoneOf(server.location);
    const { addresses } = cloud;
    const aliasIps = (asked.alias_ips ?? []).map((one) => addresses.privateAddress(joined, one, zone));
    const ip = addresses.privateAddress(joined, asked.ip, zone, asked.ip_range, aliasIps);
    const networks = [...server.networks, { network: asked.network, ip, aliasIps }];
    requireNoOverlap(networks.map(({ network }) => cloud.require("hetzner.network", network)));
    return change("attach_to_network", server, asked.network, networks);
  });

  routes.command(type, "detach_from_network", (server, body) => {
    const { network } = parse(z.strictObject({ network: id }), body);
    const place = placeIn(server, network);
    cloud.requireIdle({ id: server.id, type: "server" });
    const target = balancersOf(cloud, server).find((balancer) => balancer.network?.id === network);
    if (target?.targets.some((one) => one.server === server.id && one.usePrivateIp)) {
      throw inUse(`the server is a target of load balancer ${target.name} in this network`);
    }
    const rest = server.networks.filter((one) => one !== place);
    return change("detach_from_network", server, network, rest);
  });

  routes.command(type, "change_alias_ips", (server, body) => {
    const { network, alias_ips: aliasIps } = parse(z.strictObject({ network: id, alias_ips: aliases }), body);
    const place = placeIn(server, network);
    cloud.requireIdle({ id: server.id, type: "server" });
    const zone = cloud.catalogue.zoneOf(server.location);
    const within = cloud.require("hetzner.network", network);
    for (const ip of aliasIps.filter((one) => !place.aliasIps.includes(one))) {
      cloud.addresses.privateAddress(within, ip, zone);
    }
    const networks = server.networks.map((one) => (one === place ? { ...one, aliasIps } : one));
    return change("change_alias_ips", server, network, networks);
  });
}
