/** API routes of primary IPs: public addresses that are assigned to servers and can outlive them. */
import { z } from "zod";
import { stampOf, type Subject } from "./actions.ts";
import { id, idOrName, labels, maybe, name, parse } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { convergeBalancersOf } from "./converge.ts";
import { dnsPtrOf, registerDnsPtr } from "./dns-ptr.ts";
import { HetznerError, mustBeUnassigned } from "./errors.ts";
import { textsOf } from "./listing.ts";
import type { ResourceType, Routes } from "./resources.ts";
import { addressesOf, balancersOf, publicAddress } from "./server-links.ts";
import type { Action, PrimaryIp } from "./state.ts";

const kind = "hetzner.primary_ip";
const createSchema = z.strictObject({
  name,
  type: z.enum(["ipv4", "ipv6"]),
  assignee_type: maybe(z.literal("server")),
  assignee_id: maybe(id),
  auto_delete: maybe(z.boolean()),
  labels: maybe(labels),
  location: maybe(idOrName),
});

const subjectOf = ({ id: own }: PrimaryIp): Subject => ({ id: own, type: "primary_ip" });
const serverSubject = (server: number): Subject => ({ id: server, type: "server" });

export function registerPrimaryIps(routes: Routes): void {
  const { cloud } = routes;
  const type: ResourceType<typeof kind> = {
    kind,
    path: "primary_ips",
    singular: "primary_ip",
    name,
    view: (address) => viewOf(cloud, address),
    sort: ["id", "created"],
    filters: { ip: undefined },
    matches: ({ ip }, query) => {
      const wanted = textsOf(query, "ip");
      // An IPv6 range is found by its address alone, too.
      return wanted.length === 0 || [ip, ip.replace(/\/64$/, "")].some((one) => wanted.includes(one));
    },
    update: (body) => {
      const { auto_delete: autoDelete } = parse(z.strictObject({ auto_delete: maybe(z.boolean()) }), body);
      return autoDelete === undefined ? {} : { autoDelete };
    },
    remove: (address) => {
      if (address.server !== undefined) throw mustBeUnassigned("primary IP");
      cloud.store.delete(kind, address.id);
      return undefined;
    },
  };
  routes.post("/primary_ips", ({ body }) => {
    const asked = parse(createSchema, body);
    return cloud.store.transaction(() => create(cloud, asked));
  });
  routes.command(type, "assign", (address, body) => assign(cloud, address, body));
  routes.plain(type, "unassign", (address) => unassign(cloud, address));
  registerDnsPtr(routes, type);
  routes.protection(type);
  routes.resource(type);
}

function create(cloud: Cloud, asked: z.infer<typeof createSchema>) {
  cloud.requireFreeName(kind, asked.name);
  const server = asked.assignee_id === undefined ? undefined : cloud.require("hetzner.server", asked.assignee_id);
  const location = cloud.placeOf(asked.location, server);
  if (server) requireAssignee(cloud, server.id, { type: asked.type, location: location.name });
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
  const action = server ? startAssignment(cloud, made, "create_primary_ip", server.id) : null;
  return { primary_ip: viewOf(cloud, cloud.require(kind, made.id)), action };
}

function assign(cloud: Cloud, address: PrimaryIp, body: unknown) {
  const asked = parse(z.strictObject({ assignee_id: id, assignee_type: z.literal("server") }), body);
  if (address.server !== undefined) {
    throw new HetznerError(422, "primary_ip_already_assigned", `primary IP ${address.name} is assigned`);
  }
  requireAssignee(cloud, asked.assignee_id, address);
  return { action: startAssignment(cloud, address, "assign_primary_ip", asked.assignee_id) };
}

function startAssignment(cloud: Cloud, address: PrimaryIp, command: string, server: number): Action {
  const subjects = [subjectOf(address), serverSubject(server)];
  const apply = () => void cloud.change(kind, address.id, () => ({ server }));
  return cloud.actions.start(command, subjects, apply, () => applyPublicAddress(cloud, server));
}

function unassign(cloud: Cloud, address: PrimaryIp) {
  const { server } = address;
  if (server === undefined) throw new HetznerError(422, "service_error", "primary IP is not assigned");
  requireReleasable(cloud, address, server);
  const subjects = [subjectOf(address), serverSubject(server)];
  const apply = () => void cloud.change(kind, address.id, () => ({ server: undefined }));
  const work = () => applyPublicAddress(cloud, server);
  return { action: cloud.actions.start("unassign_primary_ip", subjects, apply, work) };
}

/** Sets the server's current public address on its machine, after all other work on the server. */
function applyPublicAddress(cloud: Cloud, server: number): Promise<void> {
  return cloud.actions.enqueue(serverSubject(server), async () => {
    if (!cloud.store.get("hetzner.server", server)) return;
    await cloud.machines.setPublicAddress(server, publicAddress(cloud, server));
    await convergeBalancersOf(cloud, server);
  });
}

/** A primary IP can only be assigned or unassigned while its server is off. */
function requireOff(cloud: Cloud, server: number): void {
  if (cloud.require("hetzner.server", server).status !== "off") {
    throw new HetznerError(422, "server_not_stopped", "the server must be stopped for this");
  }
  cloud.requireIdle(serverSubject(server));
}

function requireReleasable(cloud: Cloud, { type }: PrimaryIp, server: number): void {
  requireOff(cloud, server);
  const balancers = type === "ipv4" ? balancersOf(cloud, cloud.require("hetzner.server", server)) : [];
  if (balancers.some(({ targets }) => targets.some((one) => one.server === server && !one.usePrivateIp))) {
    const message = "the server is the target of a load balancer by this address";
    throw new HetznerError(422, "server_is_load_balancer_target", message);
  }
}

/** @throws {HetznerError} when a server cannot take an address of this type and location */
function requireAssignee(cloud: Cloud, server: number, { type, location }: Pick<PrimaryIp, "type" | "location">): void {
  const found = cloud.require("hetzner.server", server);
  if (addressesOf(cloud, server).some((other) => other.type === type)) {
    throw new HetznerError(422, `server_has_${type}`, `server ${found.name} has an ${type} address`);
  }
  if (found.location !== location) {
    throw new HetznerError(422, "primary_ip_datacenter_mismatch", `server ${found.name} is in ${found.location}`);
  }
  requireOff(cloud, server);
}

function viewOf({ catalogue }: Cloud, address: PrimaryIp) {
  return {
    id: address.id,
    name: address.name,
    type: address.type,
    ip: address.ip,
    labels: address.labels,
    created: address.created,
    ...catalogue.locationFields(address.location),
    assignee_id: address.server ?? null,
    assignee_type: "server",
    auto_delete: address.autoDelete,
    blocked: false,
    dns_ptr: dnsPtrOf(address),
    protection: address.protection,
  };
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
