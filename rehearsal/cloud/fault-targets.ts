/** Resolves the resource names in a requested fault to the numeric ids that the emulator works with. */
import { isRecord } from "../../common/record.ts";
import { UserError } from "../../common/user-error.ts";
import type { Cloud } from "../hetzner/cloud.ts";
import type { NamedKind } from "../hetzner/state.ts";
import type { Json } from "../json.ts";
import { formatFault } from "./fault-syntax.ts";

/** Kinds of resources that have actions, by the name that actions use. */
const kinds = {
  server: "hetzner.server",
  network: "hetzner.network",
  firewall: "hetzner.firewall",
  volume: "hetzner.volume",
  primary_ip: "hetzner.primary_ip",
  floating_ip: "hetzner.floating_ip",
  load_balancer: "hetzner.load_balancer",
} as const satisfies Readonly<Record<string, NamedKind>>;
const isType = (text: string): text is keyof typeof kinds => Object.hasOwn(kinds, text);

/** Name of a resource by the type and id that actions use; undefined when it is gone. */
export type NameOf = (type: string, id: number) => string | undefined;

export const namesIn =
  (store: Pick<Cloud["store"], "get">): NameOf =>
  (type, id) =>
    isType(type) ? store.get(kinds[type], id)?.name : undefined;

/** A fault as `formatFault` says it, with names instead of ids. */
export function faultText(fault: Json, nameOf: NameOf): string {
  const { server, servers, volume, resource, ...rest } = fault;
  const named = (type: string, id: unknown): unknown => nameOf(type, Number(id)) ?? id;
  return formatFault({
    ...rest,
    kind: fault["kind"],
    // The server of a full Volume follows from the Volume.
    ...(volume === undefined
      ? server !== undefined && { server: named("server", server) }
      : { volume: named("volume", volume) }),
    ...(Array.isArray(servers) && { servers: servers.map((one: unknown) => named("server", one)) }),
    // Of a limit it is a type, of an action one resource.
    ...(typeof resource === "string" && { resource }),
    ...(isRecord(resource) && { resource: { ...resource, id: named(String(resource["type"]), resource["id"]) } }),
  });
}

export const onlyWithMachines: readonly unknown[] = ["never_boots", "partition", "volume_full"];

/**
 * The requested fault with ids instead of names, and with the server that a volume is attached to.
 *
 * @throws {UserError} when no resource has that name or id, or the cloud has no machines
 */
export function resolveFaultTargets(asked: unknown, { store, machines }: Pick<Cloud, "store" | "machines">): unknown {
  if (!isRecord(asked)) return asked;
  const { kind, server, servers, volume, resource } = asked;
  if (machines.kind === "none" && onlyWithMachines.includes(kind)) {
    throw new UserError(`${String(kind)} needs machines, and this cloud has none (machines: none)`);
  }
  const find = (type: string, wanted: unknown): number => {
    if (!isType(type)) {
      throw new UserError(`got a resource of type '${type}', allowed: ${Object.keys(kinds).join(", ")}`);
    }
    const all = store.list(kinds[type]);
    const found = all.find(({ id, name }) => name === wanted || String(id) === String(wanted));
    if (found) return found.id;
    const names = all.map(({ name }) => name).join(", ");
    throw new UserError(`there is no ${type} '${String(wanted)}'; the cloud has ${names === "" ? "none" : names}`);
  };
  const hostOf = (id: number): number => {
    const host = store.get("hetzner.volume", id)?.server;
    if (host === undefined) throw new UserError(`volume '${String(volume)}' is attached to no server`);
    return host;
  };
  const ends = Array.isArray(servers) ? servers.map((one: unknown) => find("server", one)) : undefined;
  if (ends && new Set(ends).size < ends.length) throw new UserError(`${String(kind)} needs two different servers`);
  return {
    ...asked,
    ...(volume !== undefined && { volume: find("volume", volume), server: hostOf(find("volume", volume)) }),
    ...(server !== undefined && { server: find("server", server) }),
    ...(ends && { servers: ends }),
    ...(isRecord(resource) && { resource: { ...resource, id: find(String(resource["type"]), resource["id"]) } }),
  };
}
