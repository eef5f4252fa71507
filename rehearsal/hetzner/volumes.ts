/** API routes of Volumes: creation, attachment, resizing, deletion. */
import { z } from "zod";
import { stampOf, type Subject } from "./actions.ts";
import { id, idOrName, labels, maybe, name, parse } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { convergeVolume } from "./converge.ts";
import { HetznerError, invalid, inUse } from "./errors.ts";
import { textsOf } from "./listing.ts";
import type { ResourceType, Routes } from "./resources.ts";
import type { Volume } from "./state.ts";

/** Maximum number of Volumes per server. */
export const mostVolumes = 16;
const kind = "hetzner.volume";
const sizeSchema = z.int().min(10, "must be 10 or more").max(10_240, "must be 10240 or less");
const createSchema = z.strictObject({
  name,
  size: sizeSchema,
  location: maybe(idOrName),
  server: maybe(id),
  labels: maybe(labels),
  automount: maybe(z.boolean()),
  format: maybe(z.enum(["ext4", "xfs"])),
});

const subjectOf = (volume: Volume): Subject => ({ id: volume.id, type: "volume" });
const serverSubject = (server: number): Subject => ({ id: server, type: "server" });

export function registerVolumes(routes: Routes): void {
  const { cloud } = routes;
  const type: ResourceType<typeof kind> = {
    kind,
    path: "volumes",
    singular: "volume",
    name,
    view: (volume) => viewOf(cloud, volume),
    filters: { status: ["available", "creating"] },
    matches: (_, query) => {
      const wanted = textsOf(query, "status");
      return wanted.length === 0 || wanted.includes("available");
    },
    remove: (volume) => {
      remove(cloud, volume);
      return undefined;
    },
  };
  routes.post("/volumes", ({ body }) => {
    const asked = parse(createSchema, body);
    return cloud.store.transaction(() => create(cloud, asked));
  });
  routes.command(type, "attach", (volume, body) => attach(cloud, volume, body));
  routes.plain(type, "detach", (volume) => detach(cloud, volume));
  routes.command(type, "resize", (volume, body) => resize(cloud, volume, body));
  routes.protection(type);
  routes.resource(type);
}

function create(cloud: Cloud, asked: z.infer<typeof createSchema>) {
  cloud.requireFreeName(kind, asked.name);
  cloud.requireRoom(kind);
  const server = asked.server === undefined ? undefined : cloud.require("hetzner.server", asked.server);
  if (server) {
    cloud.requireIdle(serverSubject(server.id));
    requireRoomForVolume(cloud, server.id);
  }
  const location = cloud.placeOf(asked.location, server);
  if (asked.automount && !server) throw invalid("automount", "needs a server");
  const volume: Volume = {
    id: cloud.store.nextId(kind),
    name: asked.name,
    labels: asked.labels ?? {},
    created: stampOf(cloud.now()),
    sizeGb: asked.size,
    location: location.name,
    server: undefined,
    format: asked.format,
    automount: false,
    protection: { delete: false },
  };
  cloud.store.put(kind, volume.id, volume);
  const subjects = [subjectOf(volume), ...(server ? [serverSubject(server.id)] : [])];
  const noChange = () => undefined;
  const attachment = { server: server?.id, automount: asked.automount ?? false };
  const apply = () => void cloud.change(kind, volume.id, () => attachment);
  const work = () => convergeVolume(cloud, volume.id);
  const action = cloud.actions.create("create_volume", subjects, noChange, work);
  const nextActions = server ? [cloud.actions.start("attach_volume", subjects, apply, work)] : [];
  return { volume: viewOf(cloud, cloud.require(kind, volume.id)), action, next_actions: nextActions };
}

function attach(cloud: Cloud, volume: Volume, body: unknown) {
  const asked = parse(z.strictObject({ server: id, automount: maybe(z.boolean()) }), body);
  const server = cloud.require("hetzner.server", asked.server);
  requireFreeVolume(cloud, volume.id, server.location);
  const subject = serverSubject(server.id);
  cloud.requireIdle(subject);
  requireRoomForVolume(cloud, server.id);
  const next = { server: server.id, automount: asked.automount ?? false };
  const apply = () => void cloud.change(kind, volume.id, () => next);
  const work = () => cloud.machines.attachVolume(volume.id, server.id, next.automount);
  return { action: cloud.actions.start("attach_volume", [subjectOf(volume), subject], apply, work) };
}

function detach(cloud: Cloud, volume: Volume) {
  const { server } = volume;
  if (server === undefined) throw new HetznerError(422, "service_error", "volume is not attached to a server");
  cloud.requireIdle(subjectOf(volume));
  const subject = serverSubject(server);
  cloud.requireIdle(subject);
  const apply = () => void cloud.change(kind, volume.id, () => ({ server: undefined, automount: false }));
  const work = () => cloud.machines.detachVolume(volume.id, server);
  return { action: cloud.actions.start("detach_volume", [subjectOf(volume), subject], apply, work) };
}

function resize(cloud: Cloud, volume: Volume, body: unknown) {
  const { size } = parse(z.strictObject({ size: sizeSchema }), body);
  if (size <= volume.sizeGb) throw invalid("size", `must be larger than the current ${volume.sizeGb} GB`);
  cloud.requireIdle(subjectOf(volume));
  const apply = () => void cloud.change(kind, volume.id, () => ({ sizeGb: size }));
  const work = () => cloud.machines.resizeVolume(volume.id, size);
  return { action: cloud.actions.start("resize_volume", [subjectOf(volume)], apply, work) };
}

function remove(cloud: Cloud, volume: Volume): void {
  cloud.requireIdle(subjectOf(volume));
  if (volume.server !== undefined) throw inUse(`volume with ID '${volume.id}' is still attached`);
  cloud.remove(kind, subjectOf(volume), () => convergeVolume(cloud, volume.id));
}

/** @throws {HetznerError} when it is attached already, or in another location */
export function requireFreeVolume(cloud: Cloud, id: number, location: string): Volume {
  const volume = cloud.require("hetzner.volume", id);
  if (volume.server !== undefined) {
    throw new HetznerError(422, "volume_already_attached", `volume ${volume.name} is attached to a server`);
  }
  if (volume.location !== location) throw invalid("volume", `is in ${volume.location}, not in ${location}`);
  cloud.requireIdle({ id, type: "volume" });
  return volume;
}

/** @throws {HetznerError} when a server has the maximum number of Volumes */
function requireRoomForVolume({ store }: Cloud, server: number): void {
  if (store.list("hetzner.volume").filter((one) => one.server === server).length >= mostVolumes) {
    throw new HetznerError(403, "resource_limit_exceeded", `a server has at most ${mostVolumes} volumes`);
  }
}

function viewOf(cloud: Cloud, volume: Volume) {
  return {
    id: volume.id,
    name: volume.name,
    created: volume.created,
    server: volume.server ?? null,
    location: cloud.catalogue.find(cloud.catalogue.locations, volume.location),
    size: volume.sizeGb,
    linux_device: `/dev/disk/by-id/scsi-0HC_Volume_${volume.id}`,
    protection: volume.protection,
    labels: volume.labels,
    status: "available",
    format: volume.format ?? null,
  };
}
