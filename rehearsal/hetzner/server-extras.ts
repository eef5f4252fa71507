/** API commands of servers that only change stored fields: protection, backups, reverse DNS, rescue system, ISOs. */
import { z } from "zod";
import { isOneOf } from "./addresses.ts";
import { id, idOrName, maybe, parse } from "./body.ts";
import { dnsPtrSchema, setDnsPtr } from "./dns-ptr.ts";
import { invalid, notEmulated } from "./errors.ts";
import type { ResourceType, Routes } from "./resources.ts";
import { newPassword } from "./server-create.ts";
import { addressesOf } from "./server-links.ts";
import type { Server } from "./state.ts";

export function registerServerExtras(routes: Routes, type: ResourceType<"hetzner.server">): void {
  const { cloud } = routes;
  const note = (server: Server, command: string, next: Partial<Server>) => {
    const subject = { id: server.id, type: "server" };
    const apply = () => void cloud.change("hetzner.server", server.id, () => next);
    return { action: cloud.actions.start(command, [subject], apply, () => Promise.resolve()) };
  };

  routes.command(type, "change_protection", (server, body) => {
    const asked = parse(z.strictObject({ delete: maybe(z.boolean()), rebuild: maybe(z.boolean()) }), body);
    const protection = {
      delete: asked.delete ?? server.protection.delete,
      rebuild: asked.rebuild ?? server.protection.rebuild,
    };
    if (protection.delete !== protection.rebuild) throw invalid("rebuild", "must be the same as delete");
    return note(server, "change_protection", { protection });
  });
  routes.plain(type, "disable_backup", (server) => note(server, "disable_backup", { backups: false }));
  routes.command(type, "change_dns_ptr", (server, body) => {
    const asked = parse(dnsPtrSchema, body);
    const address = addressesOf(cloud, server.id).find(({ ip }) => isOneOf(ip, asked.ip));
    if (!address) throw invalid("ip", `${asked.ip} is not one of the server's addresses`);
    setDnsPtr(cloud, "hetzner.primary_ip", address, asked.ip, asked.dns_ptr);
    return { action: cloud.actions.done("change_dns_ptr", [{ id: server.id, type: "server" }]) };
  });

  // No backup is ever taken, and a container boots neither a rescue system nor an ISO; without machines all are only fields.
  const requireNoMachines = (what: string): void => {
    if (cloud.machines.kind !== "none") throw notEmulated(`${what} on a server with a machine`);
  };
  routes.differs(
    ["enable_rescue", "enable_backup", "attach_iso"].map((one) => `POST /servers/:id/actions/${one}`),
    "kept and shown; refused for a server that is a machine",
  );
  routes.command(type, "enable_rescue", (server, body) => {
    requireNoMachines("enable_rescue");
    const asked = parse(z.strictObject({ type: maybe(z.literal("linux64")), ssh_keys: maybe(z.array(id)) }), body);
    for (const key of asked.ssh_keys ?? []) cloud.require("hetzner.ssh_key", key);
    return { ...note(server, "enable_rescue", { rescue: true }), root_password: newPassword() };
  });
  routes.plain(type, "enable_backup", (server) => {
    requireNoMachines("enable_backup");
    return note(server, "enable_backup", { backups: true });
  });
  routes.plain(type, "disable_rescue", (server) => note(server, "disable_rescue", { rescue: false }));
  routes.command(type, "attach_iso", (server, body) => {
    requireNoMachines("attach_iso");
    const { iso } = parse(z.strictObject({ iso: idOrName }), body);
    const found = cloud.catalogue.find(cloud.catalogue.isos, iso);
    if (!found) throw invalid("iso", `ISO '${iso}' not found`);
    return note(server, "attach_iso", { iso: found.id });
  });
  routes.plain(type, "detach_iso", (server) => note(server, "detach_iso", { iso: undefined }));
}
