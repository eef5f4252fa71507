/** Says what a change of the store means for people: created, deleted, powered off, attached, fault on or off. Pure. */
import { isRecord } from "../../common/record.ts";
import type { CloudflareObjects } from "../cloudflare/state.ts";
import type { FaultObjects, StoredFault } from "../faults.ts";
import type { Action, Balancer, HetznerObjects } from "../hetzner/state.ts";
import type { RegistryObjects } from "../registry/registry.ts";
import type { ChangedObject } from "../store.ts";
import { faultText, type NameOf } from "./fault-targets.ts";

export type CloudObjects = HetznerObjects & CloudflareObjects & FaultObjects & RegistryObjects;

/** `good` and `bad`: something came back or broke; `busy`: it is still going on. */
export type Tone = "plain" | "good" | "bad" | "busy";

export interface Change {
  /** A later change with the same key takes its place: an action that has ended, for example. */
  readonly key: string;
  /** RFC 3339. */
  readonly time: string;
  /** What kind of thing it is: `server`, `DNS record`, `fault`. */
  readonly subject: string;
  readonly name: string;
  readonly verb: string;
  readonly tone: Tone;
  /** More about it, such as the error of an action; null when there is nothing more to say. */
  readonly detail: string | null;
}

/** A change without the time at which it was noticed. `hidden`: it is no longer shown. */
export type Said = Omit<Change, "time"> & { readonly hidden?: true };

const titles: Partial<Readonly<Record<keyof CloudObjects, string>>> = {
  "hetzner.server": "server",
  "hetzner.network": "network",
  "hetzner.firewall": "firewall",
  "hetzner.volume": "Volume",
  "hetzner.primary_ip": "primary IP",
  "hetzner.floating_ip": "floating IP",
  "hetzner.ssh_key": "SSH key",
  "hetzner.placement_group": "placement group",
  "hetzner.certificate": "certificate",
  "hetzner.load_balancer": "load balancer",
  "cloudflare.zone": "zone",
  "cloudflare.record": "DNS record",
  "cloudflare.ruleset": "ruleset",
  "cloudflare.setting": "zone setting",
  "cloudflare.bucket": "bucket",
  "cloudflare.bucket-domain": "bucket's domain",
  "cloudflare.certificate": "origin certificate",
  "cloudflare.balancer": "Cloudflare load balancer",
  "cloudflare.pool": "pool",
  "cloudflare.monitor": "monitor",
  "cloudflare.token": "API token",
  "cloudflare.client-certificate": "client certificate",
  "cloudflare.client-hostname": "host name with client certificates",
  "registry.image": "image",
};

/** Titles by the type that actions use. */
const titleOfType = (type: string): string =>
  Object.entries(titles).find(([kind]) => kind === `hetzner.${type}`)?.[1] ?? type.replaceAll("_", " ");

/** Kinds whose later changes are worth a line. What happens to Hetzner's resources, their actions say. */
const changing: readonly string[] = [
  ...["cloudflare.zone", "cloudflare.record", "cloudflare.ruleset", "cloudflare.setting", "cloudflare.bucket"],
  ...["cloudflare.balancer", "cloudflare.pool", "cloudflare.monitor", "cloudflare.token"],
];

/** @returns the description of a change; undefined for one that is not shown */
export function sayingOf(changed: ChangedObject<CloudObjects>, nameOf: NameOf): Said | undefined {
  switch (changed.kind) {
    case "hetzner.action":
      return changed.after && sayingOfAction(changed.after, nameOf);
    case "rehearsal.fault":
      return sayingOfFault(changed.before, changed.after, nameOf);
    case "cloudflare.quirk":
      return {
        ...{ key: "", subject: "quirk", name: changed.id, tone: "plain", detail: null },
        verb: changed.after ? "switched on" : "switched off",
      };
    case "hetzner.server": {
      const { before, after } = changed;
      return before && after ? powerOf(before, after) : existenceOf(changed);
    }
    case "hetzner.load_balancer": {
      const { before, after } = changed;
      return before && after ? targetsOf(before, after, nameOf) : existenceOf(changed);
    }
    // Hetzner makes them for each server, and deletes them with it.
    case "hetzner.primary_ip":
      return (changed.after ?? changed.before)?.autoDelete ? undefined : existenceOf(changed);
    default:
      return existenceOf(changed);
  }
}

/** Created, deleted, or changed. */
function existenceOf({ kind, id, before, after }: ChangedObject<CloudObjects>): Said | undefined {
  const subject = titles[kind];
  if (subject === undefined) return undefined;
  const value: unknown = after ?? before;
  // The key of a zone's setting is the zone's id and the setting's path.
  const own = kind === "cloudflare.setting" ? id.replace(/^[^/]*\/(settings\/)?/, "") : id;
  const said = { key: "", subject, name: nameIn(isRecord(value) ? value : {}) ?? own, detail: detailIn(value) };
  if (before === undefined) return { ...said, verb: kind === "registry.image" ? "uploaded" : "created", tone: "plain" };
  if (after === undefined) return { ...said, verb: "deleted", tone: "plain" };
  // A put of equal values changes nothing.
  if (!changing.includes(kind) || JSON.stringify(before) === JSON.stringify(after)) return undefined;
  return { ...said, verb: "changed", tone: "plain" };
}

/** A name as people know the thing by: a record's type and name, a ruleset's phase, a token's name. */
function nameIn(object: Readonly<Record<string, unknown>>): string | undefined {
  const value = isRecord(object["value"]) ? object["value"] : object;
  const { type, content, name, id, reference, description, phase } = value;
  if (typeof reference === "string") return reference;
  if (typeof phase === "string") return phase;
  if (typeof name === "string") return content === undefined ? name : `${String(type)} ${name}`;
  return [description, id].find((one) => typeof one === "string" && one !== "") as string | undefined;
}

function detailIn(object: unknown): string | null {
  const value = isRecord(object) && isRecord(object["value"]) ? object["value"] : {};
  return typeof value["content"] === "string" ? value["content"] : null;
}

/** A server that stops or starts without an action: a power cut, or a shutdown from inside. */
function powerOf(before: HetznerObjects["hetzner.server"], after: HetznerObjects["hetzner.server"]): Said | undefined {
  const said = { key: "", subject: "server", name: after.name, detail: null };
  const ways = `${before.status} > ${after.status}`;
  if (ways === "running > off") return { ...said, verb: "went off without an API call", tone: "bad" };
  if (ways === "off > running") return { ...said, verb: "came up without an API call", tone: "good" };
  return undefined;
}

/** The targets that a load balancer has got or lost; the action names none. */
function targetsOf(before: Balancer, after: Balancer, nameOf: NameOf): Said | undefined {
  const text = ({ server, selector, ip = "" }: Balancer["targets"][number]): string =>
    server === undefined ? (selector ?? ip) : (nameOf("server", server) ?? `server ${server}`);
  const [had, has] = [before, after].map(({ targets }) => targets.map(text));
  const got = has?.filter((one) => !had?.includes(one)) ?? [];
  const lost = had?.filter((one) => !has?.includes(one)) ?? [];
  if (got.length + lost.length === 0) return undefined;
  const words = [
    ...(got.length > 0 ? [`got the target ${got.join(", ")}`] : []),
    ...(lost.length > 0 ? [`lost the target ${lost.join(", ")}`] : []),
  ];
  return {
    ...{ key: "", subject: "load balancer", name: after.name, tone: "plain", detail: null },
    verb: words.join(" and "),
  };
}

function sayingOfFault(
  before: StoredFault | undefined,
  after: StoredFault | undefined,
  nameOf: NameOf,
): Said | undefined {
  const fault = after ?? before;
  // A fault with a number of times counts them down, and nothing else of it changes.
  if (!fault || (before && after)) return undefined;
  return {
    ...{ key: "", subject: "fault", name: faultText(fault, nameOf), detail: null },
    ...(after ? { verb: "is on", tone: "bad" } : { verb: "is over", tone: "good" }),
  };
}

const verbs: Readonly<Record<string, { readonly done: string; readonly doing: string; readonly link?: string }>> = {
  start_server: { doing: "is being powered on", done: "powered on" },
  stop_server: { doing: "is being powered off", done: "powered off" },
  shutdown_server: { doing: "is shutting down", done: "shut down" },
  reboot_server: { doing: "is rebooting", done: "rebooted" },
  reset_server: { doing: "is being reset", done: "reset" },
  rebuild_server: { doing: "is being rebuilt", done: "rebuilt" },
  change_server_type: { doing: "is getting another type", done: "got another type" },
  attach_volume: { doing: "is being attached", done: "attached", link: "to" },
  detach_volume: { doing: "is being detached", done: "detached", link: "from" },
  resize_volume: { doing: "is being resized", done: "resized" },
  attach_to_network: { doing: "is being attached", done: "attached", link: "to" },
  detach_from_network: { doing: "is being detached", done: "detached", link: "from" },
  assign_primary_ip: { doing: "is being assigned", done: "assigned", link: "to" },
  unassign_primary_ip: { doing: "is being unassigned", done: "unassigned", link: "from" },
  set_firewall_rules: { doing: "is getting its rules", done: "got its rules" },
  apply_firewall: { doing: "is being applied", done: "applied", link: "to" },
  remove_firewall: { doing: "is being removed", done: "removed", link: "from" },
};

const saidByTargets: readonly string[] = ["add_target", "remove_target"];

function sayingOfAction(action: Action, nameOf: NameOf): Said | undefined {
  const { id, command, status, resources, error } = action;
  const [first, ...others] = resources;
  if (!first) return undefined;
  const named = (type: string, one: number): string => nameOf(type, one) ?? `${type.replaceAll("_", " ")} ${one}`;
  const key = `action-${id}`;
  const said = { key, subject: titleOfType(first.type), name: named(first.type, first.id), detail: null };
  const [, way, thing] = /^(create|delete)_(.*)$/.exec(command) ?? [];
  const words = verbs[command];
  const link = words?.link === undefined ? [] : others.map((one) => `${words.link ?? ""} ${named(one.type, one.id)}`);
  const verb = [words?.done ?? command.replaceAll("_", " "), ...link].join(" ").replaceAll(/ +/g, " ");
  if (status === "error") {
    return {
      ...said,
      verb: way === undefined ? `${command.replaceAll("_", " ")} failed` : `could not be ${way}d`,
      tone: "bad",
      detail: error && `${error.code}: ${error.message}`,
    };
  }
  // That the thing itself was created or deleted is said already.
  if (way !== undefined && thing === first.type) {
    if (way === "delete") return undefined;
    if (status === "running") return { ...said, verb: "is being created", tone: "busy" };
    const seconds = secondsOf(action);
    return { ...said, verb: "ready", tone: "good", detail: `after ${seconds} s`, ...(seconds < 2 && { hidden: true }) };
  }
  if (status === "success" && saidByTargets.includes(command)) return { ...said, verb, tone: "plain", hidden: true };
  if (status === "running") return { ...said, verb: words?.doing ?? `${verb}, still going on`, tone: "busy" };
  return { ...said, verb, tone: command === "start_server" ? "good" : "plain" };
}

const secondsOf = ({ started, finished }: Action): number =>
  finished === null ? 0 : Math.round((Date.parse(finished) - Date.parse(started)) / 1000);

/** Changes of the same kind that happened together. */
export interface ChangeGroup extends Omit<Change, "name" | "detail"> {
  /** Newest first. */
  readonly members: readonly { readonly name: string; readonly detail: string | null }[];
}

/** Seconds after a group's newest change within which an older one still belongs to it. */
const together = 30;

/**
 * Puts together what happened to several things at the same time: 300 servers that are created take one line.
 *
 * @param changes newest first
 * @returns newest first. What happens to the same thing again has a line of its own, so that on, off, on stays readable
 */
export function grouped(changes: readonly Change[]): ChangeGroup[] {
  const groups: { readonly newest: Change; readonly members: Change[]; readonly names: Set<string> }[] = [];
  const open = new Map<string, (typeof groups)[number]>();
  for (const change of changes) {
    const kind = JSON.stringify([change.subject, change.verb, change.tone]);
    const group = open.get(kind);
    const isNear = group && Date.parse(group.newest.time) - Date.parse(change.time) <= together * 1000;
    if (group && isNear && change.tone !== "bad" && !group.names.has(change.name)) {
      group.members.push(change);
      group.names.add(change.name);
    } else {
      const next = { newest: change, members: [change], names: new Set([change.name]) };
      open.set(kind, next);
      groups.push(next);
    }
  }
  return groups.map(({ newest: { key, time, subject, verb, tone }, members }) => ({
    ...{ key, time, subject, verb, tone },
    members: members.map(({ name, detail }) => ({ name, detail })),
  }));
}
