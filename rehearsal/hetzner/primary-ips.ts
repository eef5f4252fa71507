/** API routes of primary IPs: public addresses that are assigned to servers and can outlive them. */
import { z } from "zod";
import { stampOf } from "./actions.ts";
import { id, idOrName, labels, maybe, name, parse } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { convergeBalancersOf } from "./converge.ts";
import { dnsPtrOf, setDnsPtr } from "./dns-ptr.ts";
import { HetznerError, invalid } from "./errors.ts";
import { textsOf } from "./listing.ts";
import type { ResourceType, Routes } from "./resources.ts";
import { addressesOf, balancersOf, publicAddress } from "./server-links.ts";
import type { PrimaryIp } from "./state.ts";

export function registerPrimaryIps(routes: Routes): void {
  const { cloud } = routes;
  const { store } = cloud;
  const subjectOf = ({ id: own }: PrimaryIp) => ({ id: own, type: "primary_ip" });
  const serverOf = (server: number) => ({ id: server, type: "server" });
  const viewOf = (one: PrimaryIp) => ({
    id: one.id,
    name: one.name,
    type: one.type,
    ip: one.ip,
    labels: one.labels,
    created: one.created,
    ...cloud.catalogue.locationFields(one.location),
    assignee_id: one.server ?? null,
    assignee_type: "server",
    auto_delete: one.autoDelete,
    blocked: false,
    dns_ptr: dnsPtrOf(one),
    protection: one.protection,
  });
  const type: ResourceType<"hetzner.primary_ip"> = {
    kind: "hetzner.primary_ip",
    path: "primary_ips",
    singular: "primary_ip",
    name,
    view: viewOf,
    matches: ({ ip }, query) => {
      const wanted = textsOf(query, "ip");
      return wanted.length === 0 || wanted.includes(ip);
    },
    update: (body) => {
      const { auto_delete: autoDelete } = parse(z.object({ auto_delete: maybe(z.boolean()) }), body);
      return autoDelete === undefined ? {} : { autoDelete };
    },
    remove: (one) => {
      const { server } = one;
      if (server !== undefined) requireReleasable(one, server);
      if (server === undefined) store.delete(type.kind, one.id);
      else cloud.remove(type.kind, subjectOf(one), readdress(server), [one.ip]);
      return undefined;
    },
  };

  /** A primary IP can only be assigned or unassigned while its server is off. */
  function requireOff(server: number): void {
    if (cloud.require("hetzner.server", server).status !== "off") {
      throw new HetznerError(422, "server_not_stopped", "the server must be stopped for this");
    }
    cloud.requireIdle(serverOf(server));
  }
  function requireReleasable({ type: kind }: PrimaryIp, server: number): void {
    requireOff(server);
    const balancers = kind === "ipv4" ? balancersOf(cloud, cloud.require("hetzner.server", server)) : [];
    if (balancers.some(({ targets }) => targets.some((one) => one.server === server && !one.usePrivateIp))) {
      const message = "the server is the target of a load balancer by this address";
      throw new HetznerError(422, "server_is_load_balancer_target", message);
    }
  }
  /** Sets the server's current public address on its machine, after all other work on the server. */
  const readdress = (server: number) => () =>
    cloud.actions.enqueue(serverOf(server), async () => {
      if (!store.get("hetzner.server", server)) return;
      await cloud.machines.setPublicAddress(server, publicAddress(cloud, server));
      await convergeBalancersOf(cloud, server);
    });

  const assign = (one: PrimaryIp, command: string, server: number) => {
    const apply = () => void cloud.change(type.kind, one.id, () => ({ server }));
    return { action: cloud.actions.start(command, [subjectOf(one), serverOf(server)], apply, readdress(server)) };
  };

  /** @throws {HetznerError} when a server cannot take an address of this type and location */
  function requireAssignee(server: number, one: Pick<PrimaryIp, "type" | "location">): void {
    const found = cloud.require("hetzner.server", server);
    if (addressesOf(cloud, server).some((other) => other.type === one.type)) {
      throw new HetznerError(422, `server_has_${one.type}`, `server ${found.name} has an ${one.type} address`);
    }
    if (found.location !== one.location) {
      throw new HetznerError(422, "primary_ip_datacenter_mismatch", `server ${found.name} is in ${found.location}`);
    }
    requireOff(server);
  }

  routes.post("/primary_ips", ({ body }) => {
    const schema = z.object({
      name,
      type: z.enum(["ipv4", "ipv6"]),
      assignee_type: maybe(z.literal("server")),
      assignee_id: maybe(id),
      auto_delete: maybe(z.boolean()),
      labels: maybe(labels),
      location: maybe(idOrName),
    });
    const asked = parse(schema, body);
    return store.transaction(() => {
      cloud.requireFreeName(type.kind, asked.name);
      const server = asked.assignee_id === undefined ? undefined : cloud.require("hetzner.server", asked.assignee_id);
      const location = cloud.catalogue.find(cloud.catalogue.locations, server?.location ?? asked.location);
      if (!location) throw invalid("location", "a location or an assignee is required");
      if (server) requireAssignee(server.id, { type: asked.type, location: location.name });
      const made = newPrimaryIp(cloud, {
        name: asked.name,
        type: asked.type,
        labels: asked.labels ?? {},
        created: stampOf(cloud.now()),
        location: location.name,
        server: undefined,
        autoDelete: asked.auto_delete ?? false,
        dnsPtr: {},
        protection: { delete: false },
      });
      const action = server ? assign(made, "create_primary_ip", server.id).action : null;
      return { primary_ip: viewOf(cloud.require(type.kind, made.id)), action };
    });
  });

  routes.command(type, "assign", (one, body) => {
    const asked = parse(z.object({ assignee_id: id, assignee_type: z.literal("server") }), body);
    if (one.server !== undefined) {
      throw new HetznerError(409, "primary_ip_already_assigned", `primary IP ${one.name} is assigned`);
    }
    requireAssignee(asked.assignee_id, one);
    return assign(one, "assign_primary_ip", asked.assignee_id);
  });
  routes.command(type, "unassign", (one) => {
    const { server } = one;
    if (server === undefined) throw new HetznerError(422, "service_error", "primary IP is not assigned");
    requireReleasable(one, server);
    const subjects = [subjectOf(one), serverOf(server)];
    const apply = () => void cloud.change(type.kind, one.id, () => ({ server: undefined }));
    return { action: cloud.actions.start("unassign_primary_ip", subjects, apply, readdress(server)) };
  });
  routes.command(type, "change_dns_ptr", (one, body) => {
    const asked = parse(z.object({ ip: z.string(), dns_ptr: z.string().nullable() }), body);
    setDnsPtr(cloud, type.kind, one, asked.ip, asked.dns_ptr);
    return { action: cloud.actions.done("change_dns_ptr", [subjectOf(one)]) };
  });
  routes.protection(type);
  routes.resource(type);
}

/** @throws {HetznerError} when it is assigned already, or has another type or location */
export function requireFreePrimaryIp(cloud: Cloud, id: number, type: PrimaryIp["type"], location: string): PrimaryIp {
  const found = cloud.require("hetzner.primary_ip", id);
  if (found.server !== undefined) {
    throw new HetznerError(409, "primary_ip_assigned", `primary IP ${found.name} is assigned to a server`);
  }
  if (found.type !== type) {
    throw new HetznerError(422, "primary_ip_version_mismatch", `primary IP ${found.name} is of type ${found.type}`);
  }
  if (found.location !== location) {
    const message = `primary IP ${found.name} is in ${found.location}, not in ${location}`;
    throw new HetznerError(422, "primary_ip_datacenter_mismatch", message);
  }
  return found;
}

export function newPrimaryIp(
  cloud: Cloud,
  wanted: Omit<PrimaryIp, "id" | "ip" | "name"> & { readonly name?: string },
): PrimaryIp {
  cloud.requireRoom("hetzner.primary_ip");
  const id = cloud.store.nextId("hetzner.primary_ip");
  const ip = wanted.type === "ipv4" ? cloud.addresses.freeAddress() : cloud.addresses.freeRange6("primary_ip", id);
  const made: PrimaryIp = { ...wanted, id, ip, name: wanted.name ?? `primary_ip-${id}` };
  cloud.store.put("hetzner.primary_ip", id, made);
  return made;
}
