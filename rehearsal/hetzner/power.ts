/** API commands that change a server's machine: power, rebuild, type, placement group. */
import { z } from "zod";
import { idOrName, maybe, parse } from "./body.ts";
import type { ServerType } from "./catalogue.ts";
import type { Cloud } from "./cloud.ts";
import { convergePower, convergeServer, syncPowerOnFailure } from "./converge.ts";
import { HetznerError, invalid, soldOut } from "./errors.ts";
import { requirePlacementGroupRoom } from "./placement-groups.ts";
import type { ResourceType, Routes } from "./resources.ts";
import { passwordFor, requireImage } from "./server-create.ts";
import type { Action, Server } from "./state.ts";

/** Seconds within which the guest must shut down after an ACPI request. */
const shutdownTimeout = 60;

function typeOf({ catalogue }: Cloud, { type }: Server): ServerType {
  const found = catalogue.find(catalogue.serverTypes, type);
  if (!found) throw new Error(`the server type ${type} is not in the catalogue`);
  return found;
}

const subjectOf = ({ id }: Server) => ({ id, type: "server" });

/** Starts an action that changes a server; its status is transitional until the work has ended. */
function change(
  cloud: Cloud,
  server: Server,
  command: string,
  next: Partial<Server>,
  work: () => Promise<void>,
): { action: Action } {
  cloud.requireIdle(subjectOf(server));
  const apply = () => void cloud.change("hetzner.server", server.id, () => next);
  const settled = () => syncPowerOnFailure(cloud, server.id, work);
  return { action: cloud.actions.start(command, [subjectOf(server)], apply, settled) };
}

export function registerPower(routes: Routes, type: ResourceType<"hetzner.server">): void {
  const { cloud } = routes;
  const { machines } = cloud;
  const settle = (id: number) => () => convergePower(cloud, id);
  const requireOff = ({ status }: Server): void => {
    if (status !== "off") throw new HetznerError(422, "server_not_stopped", "server must be stopped for this");
  };

  routes.plain(type, "poweron", (server) =>
    change(cloud, server, "start_server", { on: true, status: "starting" }, settle(server.id)),
  );
  routes.plain(type, "poweroff", (server) =>
    change(cloud, server, "stop_server", { on: false, status: "stopping" }, settle(server.id)),
  );
  routes.plain(type, "shutdown", (server) =>
    change(cloud, server, "shutdown_server", { on: false, status: "stopping" }, async () => {
      await machines.shutdown(server.id, shutdownTimeout);
      await convergePower(cloud, server.id);
    }),
  );
  routes.plain(type, "reboot", (server) =>
    change(cloud, server, "reboot_server", { on: true }, async () => {
      await machines.shutdown(server.id, shutdownTimeout);
      await convergePower(cloud, server.id);
    }),
  );
  routes.plain(type, "reset", (server) =>
    change(cloud, server, "reset_server", { on: true }, async () => {
      await machines.powerOff(server.id);
      await convergePower(cloud, server.id);
    }),
  );

  routes.command(type, "rebuild", (server, body) => {
    const asked = parse(z.strictObject({ image: idOrName, user_data: maybe(z.string().max(32_768)) }), body);
    if (server.protection.rebuild) throw new HetznerError(423, "protected", "server rebuild is protected");
    const image = requireImage(cloud, typeOf(cloud, server), asked.image);
    const rootPassword = passwordFor(server.sshKeys);
    const next: Partial<Server> = {
      image: image.id,
      instance: server.instance + 1,
      status: "rebuilding",
      on: true,
      rootPassword,
      ...(asked.user_data !== undefined && { userData: asked.user_data }),
    };
    const reply = change(cloud, server, "rebuild_server", next, () => convergeServer(cloud, server.id));
    return { ...reply, root_password: rootPassword ?? null };
  });

  routes.command(type, "change_type", (server, body) => {
    const asked = parse(z.strictObject({ server_type: idOrName, upgrade_disk: z.boolean() }), body);
    requireOff(server);
    const { catalogue } = cloud;
    const wanted = catalogue.find(catalogue.serverTypes, asked.server_type);
    if (!wanted) throw invalid("server_type", `server type '${asked.server_type}' not found`);
    if (wanted.name === server.type) throw new HetznerError(422, "invalid_server_type", "the server has this type");
    if (wanted.disk < server.diskGb) {
      throw new HetznerError(422, "invalid_server_type", `the disk of ${wanted.name} is smaller than the server's`);
    }
    if (wanted.architecture !== typeOf(cloud, server).architecture) {
      throw new HetznerError(422, "invalid_server_type", `${wanted.name} has another architecture than the server`);
    }
    const location = catalogue.find(catalogue.locations, server.location);
    if (catalogue.isRetired(wanted) || !location || !catalogue.isForSale(wanted, location)) {
      throw new HetznerError(422, "invalid_server_type", `${wanted.name} is not for sale in ${server.location}`);
    }
    if (cloud.shortage.soldOut(wanted.name).has(server.location)) throw soldOut();
    const diskGb = asked.upgrade_disk ? wanted.disk : server.diskGb;
    // Like the real one, it is powered on afterwards.
    const next = { type: wanted.name, diskGb, on: true, status: "migrating" } as const;
    return change(cloud, server, "change_server_type", next, async () => {
      await machines.resize(server.id, wanted.cores, wanted.memory);
      await convergePower(cloud, server.id);
    });
  });

  routes.command(type, "add_to_placement_group", (server, body) => {
    const { placement_group: group } = parse(z.strictObject({ placement_group: z.int() }), body);
    requireOff(server);
    requirePlacementGroupRoom(cloud, group);
    // It moves to another host, and is powered on there.
    const next = { placementGroup: group, on: true, status: "migrating" } as const;
    return change(cloud, server, "add_to_placement_group", next, settle(server.id));
  });
  routes.plain(type, "remove_from_placement_group", (server) =>
    change(cloud, server, "remove_from_placement_group", { placementGroup: undefined }, () => Promise.resolve()),
  );
}
