/** API routes of floating IPs. They exist in the API only: no machine answers at them. */
import { z } from "zod";
import { stampOf } from "./actions.ts";
import { id, idOrName, labels, maybe, name, parse } from "./body.ts";
import { dnsPtrOf, registerDnsPtr } from "./dns-ptr.ts";
import { HetznerError, invalidFields, mustBeUnassigned, notEmulated } from "./errors.ts";
import type { ResourceType, Routes } from "./resources.ts";
import type { FloatingIp } from "./state.ts";

export function registerFloatingIps(routes: Routes): void {
  const { cloud } = routes;
  const { store } = cloud;
  const subjectOf = ({ id: own }: FloatingIp) => ({ id: own, type: "floating_ip" });
  const viewOf = (one: FloatingIp) => ({
    id: one.id,
    name: one.name,
    description: one.description,
    type: one.type,
    ip: one.ip,
    labels: one.labels,
    created: one.created,
    home_location: cloud.catalogue.find(cloud.catalogue.locations, one.location),
    server: one.server ?? null,
    blocked: false,
    dns_ptr: dnsPtrOf(one),
    protection: one.protection,
  });
  const type: ResourceType<"hetzner.floating_ip"> = {
    kind: "hetzner.floating_ip",
    path: "floating_ips",
    singular: "floating_ip",
    name,
    sort: ["id", "created"],
    view: viewOf,
    update: (body) => {
      const { description } = parse(z.strictObject({ description: maybe(z.string()) }), body);
      return description === undefined ? {} : { description };
    },
    remove: (one) => {
      if (one.server !== undefined) throw mustBeUnassigned("floating IP");
      store.delete("hetzner.floating_ip", one.id);
      return undefined;
    },
  };
  // No traffic reaches a machine at a floating IP, so an assignment must not claim success.
  const requireNoMachines = () => {
    if (cloud.machines.kind !== "none") throw notEmulated("a floating IP on a server with a machine");
  };
  const assign = (one: FloatingIp, command: string, server: number | undefined) => {
    const subjects = [subjectOf(one), ...(server === undefined ? [] : [{ id: server, type: "server" }])];
    const apply = () => void cloud.change(type.kind, one.id, () => ({ server }));
    return { action: cloud.actions.start(command, subjects, apply, () => Promise.resolve()) };
  };

  const withMachines = "refused for a server that is a machine";
  routes.differs(["POST /floating_ips", "POST /floating_ips/:id/actions/assign"], withMachines);
  routes.post("/floating_ips", ({ body }) => {
    const schema = z.strictObject({
      type: z.enum(["ipv4", "ipv6"]),
      name: maybe(name),
      description: maybe(z.string()),
      home_location: maybe(idOrName),
      server: maybe(id),
      labels: maybe(labels),
    });
    const asked = parse(schema, body);
    return store.transaction(() => {
      if (asked.server !== undefined) requireNoMachines();
      const server = asked.server === undefined ? undefined : cloud.require("hetzner.server", asked.server);
      const location = cloud.catalogue.find(cloud.catalogue.locations, asked.home_location ?? server?.location);
      if (!location) {
        const messages = ["a server or a known location is required"];
        throw invalidFields(["server", "home_location"].map((name) => ({ name, messages })));
      }
      const own = store.nextId(type.kind);
      const named = asked.name ?? `floating-ip-${own}`;
      cloud.requireFreeName(type.kind, named);
      cloud.requireRoom(type.kind);
      const made: FloatingIp = {
        id: own,
        name: named,
        labels: asked.labels ?? {},
        created: stampOf(cloud.now()),
        type: asked.type,
        ip: asked.type === "ipv4" ? cloud.addresses.freeAddress() : cloud.addresses.freeRange6("floating_ip", own),
        description: asked.description ?? null,
        location: location.name,
        server: server?.id,
        dnsPtr: {},
        protection: { delete: false },
      };
      store.put(type.kind, own, made);
      const action = server ? cloud.actions.done("assign_floating_ip", [subjectOf(made)]) : null;
      return { floating_ip: viewOf(made), action };
    });
  });
  routes.command(type, "assign", (one, body) => {
    requireNoMachines();
    const { server } = parse(z.strictObject({ server: id }), body);
    if (one.server === server) {
      throw new HetznerError(422, "floating_ip_assigned", `floating IP ${one.name} is assigned to this server`);
    }
    return assign(one, "assign_floating_ip", cloud.require("hetzner.server", server).id);
  });
  routes.plain(type, "unassign", (one) => assign(one, "unassign_floating_ip", undefined));
  registerDnsPtr(routes, type);
  routes.protection(type);
  routes.resource(type);
}
