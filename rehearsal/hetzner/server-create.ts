/** Creates a server; everything that the request refers to is checked before anything is stored. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { stampOf } from "./actions.ts";
import { requireNoOverlap } from "./address-book.ts";
import { hostName, id, idOrName, ids, labels, maybe, parse } from "./body.ts";
import type { Image, ServerType } from "./catalogue.ts";
import type { Cloud } from "./cloud.ts";
import { convergeServer, convergeVolume, syncPowerOnFailure } from "./converge.ts";
import { HetznerError, invalid, locationClosed, notEmulated, notUnique, refused, soldOut } from "./errors.ts";
import { requirePlacementGroupRoom } from "./placement-groups.ts";
import { newPrimaryIp, requireFreePrimaryIp } from "./primary-ips.ts";
import type { Action, PrimaryIp, Server } from "./state.ts";
import { mostVolumes, requireFreeVolume } from "./volumes.ts";

const bodySchema = z.strictObject({
  name: hostName,
  server_type: idOrName,
  image: idOrName,
  location: maybe(idOrName),
  ssh_keys: maybe(z.array(idOrName)),
  user_data: maybe(z.string().max(32_768)),
  start_after_create: maybe(z.boolean()),
  labels: maybe(labels),
  automount: maybe(z.boolean()),
  volumes: maybe(ids),
  networks: maybe(ids),
  firewalls: maybe(z.array(z.strictObject({ firewall: id }))),
  placement_group: maybe(id),
  public_net: maybe(
    z.strictObject({
      enable_ipv4: maybe(z.boolean()),
      enable_ipv6: maybe(z.boolean()),
      ipv4: maybe(id),
      ipv6: maybe(id),
    }),
  ),
});
type Body = z.infer<typeof bodySchema>;

const mostNetworks = 3;

export const newPassword = (): string => randomBytes(12).toString("base64url");
/** Root password for a server without SSH keys; undefined with keys. */
export const passwordFor = (keys: readonly string[]): string | undefined =>
  keys.length === 0 ? newPassword() : undefined;

export function createServer(cloud: Cloud, body: unknown): { server: Server; action: Action; nextActions: Action[] } {
  const asked = parse(bodySchema, body);
  const { store, actions } = cloud;
  const server = newServer(cloud, asked);
  const starts = asked.start_after_create ?? true;
  const wantsAddress = (type: "ipv4" | "ipv6") => asked.public_net?.[`enable_${type}`] ?? true;
  const given = (["ipv4", "ipv6"] as const).flatMap((type) => {
    const wanted = asked.public_net?.[type];
    if (wanted !== undefined && !wantsAddress(type)) throw invalid(`public_net.${type}`, `enable_${type} is false`);
    return wanted === undefined ? [] : [requireFreePrimaryIp(cloud, wanted, type, server.location)];
  });
  const firewalls = (asked.firewalls ?? []).map(({ firewall }) => cloud.require("hetzner.firewall", firewall));
  const volumes = (asked.volumes ?? []).map((one) => requireFreeVolume(cloud, one, server.location));
  if (volumes.length > mostVolumes) throw invalid("volumes", `a server has at most ${mostVolumes} volumes`);
  if ((asked.networks ?? []).length > mostNetworks) {
    throw invalid("networks", `a server is in at most ${mostNetworks} networks`);
  }
  if (!wantsAddress("ipv4") && !wantsAddress("ipv6") && (asked.networks ?? []).length === 0 && starts) {
    throw invalid("public_net", "a server without a public address needs a network before it can start");
  }

  store.put("hetzner.server", server.id, server);
  for (const type of ["ipv4", "ipv6"] as const) {
    const address = given.find((one) => one.type === type);
    if (address) store.put("hetzner.primary_ip", address.id, { ...address, server: server.id });
    else if (wantsAddress(type)) newPrimaryIp(cloud, { ...ownAddress(cloud, server), type });
  }
  for (const one of firewalls) {
    store.put("hetzner.firewall", one.id, { ...one, servers: [...one.servers, server.id] });
  }
  const subject = { id: server.id, type: "server" };
  // A server that fails to start exists and is off; it can be switched on or deleted.
  const action = actions.create(
    "create_server",
    [subject],
    () => void cloud.change("hetzner.server", server.id, () => ({ on: starts })),
    () => syncPowerOnFailure(cloud, server.id, () => convergeServer(cloud, server.id)),
  );
  const attached = volumes.map(({ id: volume }) => {
    const next = { server: server.id, automount: asked.automount ?? false };
    const apply = () => void cloud.change("hetzner.volume", volume, () => next);
    return actions.start("attach_volume", [{ id: volume, type: "volume" }, subject], apply, async () => {
      await actions.hasEnded(action);
      await convergeVolume(cloud, volume);
    });
  });
  return { server, action, nextActions: attached };
}

/** @throws {HetznerError} when there is no such image for the architecture, or no machine has that */
export function requireImage({ catalogue, machines }: Cloud, type: ServerType, wanted: number | string): Image {
  const { architecture } = type;
  if (architecture === "arm" && machines.kind !== "none") throw notEmulated("an ARM server with a machine");
  const found = catalogue.findImage(wanted, architecture);
  if (!found) throw invalid("image", `image '${wanted}' not found`);
  if (found.architecture !== architecture) {
    throw invalid("image", `is for ${found.architecture}, and server type ${type.name} for ${architecture}`);
  }
  return found;
}

function newServer(cloud: Cloud, asked: Body): Server {
  const { catalogue, store } = cloud;
  if (store.list("hetzner.server").some(({ name }) => name === asked.name)) throw notUnique("name", "server ");
  cloud.requireRoom("hetzner.server");
  const type = catalogue.find(catalogue.serverTypes, asked.server_type);
  if (!type) throw invalid("server_type", `server type '${asked.server_type}' not found`);
  if (catalogue.isRetired(type)) throw refused(`server type ${type.id} is deprecated`);
  const image = requireImage(cloud, type, asked.image);
  const location =
    asked.location === undefined
      ? catalogue.locations.find((one) => catalogue.isForSale(type, one))
      : catalogue.find(catalogue.locations, asked.location);
  if (!location) throw invalid("location", `location '${asked.location}' not found`);
  if (!catalogue.isForSale(type, location)) throw refused("unsupported location for server type");
  if (cloud.shortage.closed().has(location.name)) throw locationClosed();
  if (cloud.shortage.soldOut(type.name).has(location.name)) throw soldOut();
  const keys = (asked.ssh_keys ?? []).map((wanted) => {
    const found = store.list("hetzner.ssh_key").find((one) => one.id === wanted || one.name === wanted);
    if (!found) throw new HetznerError(422, "invalid_input", `ssh key '${wanted}' not found`);
    return found.publicKey;
  });
  if (asked.placement_group !== undefined) requirePlacementGroupRoom(cloud, asked.placement_group);
  const joined = (asked.networks ?? []).map((network) => cloud.require("hetzner.network", network));
  requireNoOverlap(joined);
  const networks = joined.map((network) => ({
    network: network.id,
    ip: cloud.addresses.privateAddress(network, undefined, location.network_zone),
    aliasIps: [],
  }));
  return {
    id: store.nextId("hetzner.server"),
    name: asked.name,
    labels: asked.labels ?? {},
    created: stampOf(cloud.now()),
    type: type.name,
    image: image.id,
    location: location.name,
    userData: asked.user_data ?? "",
    sshKeys: keys,
    status: "initializing",
    on: false,
    diskGb: type.disk,
    networks,
    placementGroup: asked.placement_group,
    protection: { delete: false, rebuild: false },
    rescue: false,
    backups: false,
    iso: undefined,
    rootPassword: passwordFor(keys),
    instance: 1,
  };
}

/** A primary IP that is created with a server and deleted with it. */
const ownAddress = (cloud: Cloud, server: Server): Omit<PrimaryIp, "type" | "id" | "ip" | "name"> => ({
  labels: {},
  created: stampOf(cloud.now()),
  location: server.location,
  server: server.id,
  autoDelete: true,
  dnsPtr: {},
  protection: { delete: false },
});
