/** Judges the change of one resource: whether data is lost with it, what people notice of it, and what to do instead. Pure. */
import { isRecord } from "../common/record.ts";
import { factsOfType } from "../config/server-types.ts";
import { holdsData } from "../topology/catalogue.ts";
import { typesSetting } from "../topology/server.ts";
import type { ServiceKind } from "../topology/service.ts";
import type { Change } from "./changes.ts";
import { danger, type Finding, type Severity } from "./findings.ts";
import { differs, type Graph, keyOf, type Recorded, unknown } from "./graph.ts";
import { appPassword, archiveBucket, archiveKey, type Holds, roleOf, sessionKey, types } from "./stateful.ts";

/** What is known beside a change. */
interface Context {
  /** What the resource held, as {@link Holds} says. */
  readonly held: string | undefined;
  /** Whether the stack is protected. */
  readonly guarded: boolean;
  /** The keys of all resources that the update deletes. */
  readonly deleted: ReadonlySet<string>;
}

/** Roles of containers whose data is a copy of another one's. */
const replicaRoles: ReadonlySet<string> = new Set(["cache-replica", "broker-replica"] satisfies ServiceKind[]);

/** `cache-2` of the key of its server. */
const serverIn = (key = ""): string => (key.split(" ")[1] ?? key).replace(/-server$/, "");

/** What is found about a change of one resource. @param holds what each resource held before */
export function findingsOfChange(change: Change, holds: Holds, known: Omit<Context, "held">): Finding[] {
  const { action, before } = change;
  if (!before) return [];
  switch (action) {
    case "delete":
      return ofDeletion(change, before, { ...known, held: holds(before) });
    case "replace":
      return ofReplacement(change, before, holds(before), known.guarded);
    default:
      return [...ofUpdate(change, before), ...lostProtection(change, before)];
  }
}

function ofDeletion({ resource }: Change, before: Recorded, { held, guarded, deleted }: Context): Finding[] {
  const { name, type, options } = resource;
  if (held !== undefined) {
    const goesWith = deleted.has(options.deletedWith ?? "") ? serverIn(options.deletedWith) : undefined;
    if (goesWith !== undefined && replicaRoles.has(roleOf(resource))) {
      return [
        {
          severity: "danger",
          name,
          happens: `would be deleted with ${goesWith}: a copy of data that the core server keeps`,
        },
      ];
    }
    const isKept = type === types.dockerVolume && options.retainOnDelete && !options.protect && goesWith === undefined;
    if (isKept) return [{ severity: "danger", name, happens: `would leave the stack, but ${held} is kept` }];
    // The finding about its server covers it.
    if (type === types.serverNetwork || type === types.attachment) return [];
    const happens = `would be deleted, and with it ${held}`;
    const severity = severityOf(before, guarded);
    return [{ severity, name, happens, instead: insteadOfDeletion(before, severity) }];
  }
  if (type === types.record) {
    const happens = "would be deleted: the platform's host name would not resolve any more";
    const severity = guarded ? "refused" : "loss";
    return [{ severity, name, happens, instead: insteadOfDeletion(before, severity) }];
  }
  return holdsData(roleOf(resource)) && type === types.container
    ? [{ severity: "danger", name, happens: "would be stopped for good" }]
    : [];
}

function ofReplacement(change: Change, before: Recorded, held: string | undefined, guarded: boolean): Finding[] {
  const { resource } = change;
  const { name, type } = resource;
  if (type === types.container) return ofContainer(change);
  if (name === appPassword) return ofRotation(before, resource);
  const because = reasons(change);
  if (held === undefined && type === types.primaryIp && change.forcedBy.includes("location")) {
    const where = changeOf("location", before, resource);
    const happens = `would be replaced in another location than its server, which cannot be moved: ${where}`;
    return [{ severity: "refused", name, happens, instead: "leave orion:hetzner.locations as it was" }];
  }
  if (held === undefined) {
    return type === types.server ? [{ severity: "danger", name, happens: `would be replaced ${because}` }] : [];
  }
  // The finding about its Volume or its server covers it, unless it moves to another server.
  const { deletedWith } = before.options;
  if (type === types.attachment && deletedWith === resource.options.deletedWith) return [];
  if (type === types.serverNetwork && deletedWith !== undefined && change.forcedBy.includes(deletedWith)) return [];
  // Neither can be protected, and all clients of the data depend on both.
  const severity = type === types.serverNetwork || type === types.attachment ? "refused" : severityOf(before, guarded);
  const happens = `would be replaced ${because}, and with it ${held}`;
  return [{ severity, name, happens, instead: insteadOf(change) }];
}

/**
 * The app has two roles, by whether the number is even: one step gives the other role a new password. Two steps would change the
 * password of the role that running processes log in as, before the update replaces them.
 */
function ofRotation(before: Recorded, after: Recorded): Finding[] {
  const [was, is] = [before, after].map(rotationOf);
  if (was === undefined || is === undefined || was === is || Math.abs(is - was) % 2 === 1) return [];
  const happens = `would change while the app goes on logging in as the same role: orion:database.rotation changes from ${was} to ${is}, and until processes that run are replaced, they could open no connection to the database`;
  const instead = `raise orion:database.rotation by one: set it to ${was + 1}`;
  return [{ severity: "refused", name: before.name, happens, instead }];
}

/** `orion:database.rotation`, as the app's password keeps it. */
function rotationOf({ inputs: { keepers } }: Recorded): number | undefined {
  const said: unknown = isRecord(keepers) ? keepers["rotation"] : undefined;
  return typeof said === "string" && /^\d+$/.test(said) ? Number(said) : undefined;
}

function ofContainer(change: Change): Finding[] {
  const { resource, before, inputs, forcedBy } = change;
  const { name } = resource;
  if (!holdsData(roleOf(resource)) || !before) return [];
  const moved = ["mounts", "volumes"].filter((input) => inputs.includes(input) && isLeft(input, before, change));
  if (moved.length > 0 || forcedBy.includes("provider")) {
    const why = forcedBy.length > 0 ? reasons(change) : `because ${moved.join(", ")} changes`;
    return [
      {
        severity: roleOf(resource) === "cache" ? "danger" : "refused",
        name,
        happens: `would be without its data ${why}`,
        instead: "add a replica there, wait until it has all data, and promote it",
      },
    ];
  }
  if (forcedBy.length > 0) return [{ severity: "danger", name, happens: `would be restarted ${reasons(change)}` }];
  if (!inputs.includes("memory")) return [];
  const limit = changeOf("memory", before, resource);
  return [{ severity: "danger", name, happens: `would run with another memory limit: ${limit} MiB` }];
}

/** Leaves out the dropped volumes that the program had written files to, which it writes again. */
export function withDroppedData(change: Change, { resources }: Graph, holds: Holds): Change {
  if (change.dropped === undefined) return change;
  const ofProgram = new Set(
    resources.filter((one) => one.type === types.dockerVolume && holds(one) === undefined).map(keyOf),
  );
  const data = [...change.dropped].map(([input, keys]) => [input, keys.filter((key) => !ofProgram.has(key))] as const);
  return { ...change, dropped: new Map(data) };
}

/** Whether a container no longer has a folder that it kept data in. What it only reads is written by the program again. */
function isLeft(input: string, before: Recorded, { resource, dropped }: Change): boolean {
  const kept = foldersIn(before.inputs[input]);
  // The guard does not know names that a provider will give back, but where they come from.
  if (resource.inputs[input] === unknown) {
    return dropped?.get(input)?.some((key) => key.startsWith(`${types.dockerVolume} `)) === true;
  }
  const has = foldersIn(resource.inputs[input]);
  return kept.some(([path, source]) => !has.some(([at, from]) => at === path && !differs(from, source)));
}

/** The paths in a container that a mount or a volume with a name is at, and what is there. */
const foldersIn = (value: unknown): (readonly [path: unknown, source: unknown])[] =>
  (Array.isArray(value) ? value.filter(isRecord) : []).flatMap((one) => {
    // A state has an empty text for what is not set.
    const source = [one["source"], one["hostPath"], one["volumeName"]].find(
      (each) => each !== undefined && each !== "",
    );
    return source === undefined || one["readOnly"] === true ? [] : [[one["target"] ?? one["containerPath"], source]];
  });

function ofUpdate(whole: Change, before: Recorded): Finding[] {
  const { resource, inputs } = whole;
  const { name, type } = resource;
  const change = (input: string) => changeOf(input, before, resource);
  const [sizeBefore, sizeAfter] = [Number(before.inputs["size"]), Number(resource.inputs["size"])];
  if (type === types.volume && sizeAfter < sizeBefore) {
    return [
      {
        severity: "refused",
        name,
        happens: `cannot be made smaller: ${change("size")}`,
        instead: `set orion:database.volumeGb to ${sizeBefore} or more`,
      },
    ];
  }
  if (type === types.server && inputs.includes("serverType")) return [ofServerType(resource, before)];
  const unplugged = inputs.filter((input) => input === "publicNets" || input === "placementGroupId");
  if (type === types.server && unplugged.length > 0) {
    return [{ severity: "danger", name, happens: `would be powered off and on: ${unplugged.map(change).join(", ")}` }];
  }
  if (type === types.record && inputs.includes("content")) {
    return [{ severity: "danger", name, happens: "would send visitors to another address" }];
  }
  return type === types.container ? ofContainer(whole) : [];
}

function ofServerType(resource: Recorded, before: Recorded): Finding {
  const { name } = resource;
  const [was, is] = [before, resource].map(({ inputs }) => String(inputs["serverType"]));
  const [had, has] = [was, is].map((type = "") => factsOfType(type));
  const what = changeOf("serverType", before, resource);
  if (had && has && had.architecture !== has.architecture) {
    const happens = `cannot get another type: ${what}, and a server keeps its architecture (${was} has ${had.architecture}, ${is} ${has.architecture})`;
    const setting =
      Object.entries(typesSetting).find(([role]) => role === roleOf(resource))?.[1] ?? "its list of types";
    const instead = `leave ${was} in ${setting}, or name a type there that has ${had.architecture}`;
    return { severity: "refused", name, happens, instead };
  }
  // Its disk is that of the type that it was created with, which may have been a smaller one than it has now.
  const tooSmall =
    had && has && has.diskGb < had.diskGb
      ? `; if it was created as ${was}, Hetzner does not give it ${is}, whose disk has ${has.diskGb} GB and not ${had.diskGb}: the preview and the update ask for its disk before it is powered off`
      : "";
  return danger(name, `would be powered off, and on again with another type: ${what}${tooSmall}`);
}

const lostProtection = ({ resource }: Change, before: Recorded): Finding[] =>
  before.options.protect && !resource.options.protect
    ? [{ severity: "danger", name: resource.name, happens: "would no longer be protected" }]
    : [];

/** The first stacks did not protect the session key; there its loss is refused as well. */
const severityOf = ({ name, options }: Recorded, guarded: boolean): Severity =>
  options.protect || (guarded && name === sessionKey) ? "refused" : "loss";

/** `because location changes from fsn1 to nbg1, labels change`. */
function reasons({ forcedBy, before, resource }: Change): string {
  const words = forcedBy.map((reason) => {
    if (reason === "provider") return `it moves${placeOf(before)} to${placeOf(resource).replace(" from", "")}`;
    return reason.includes(" ") ? `${reason.split(" ")[1] ?? ""} is replaced` : changeOf(reason, before, resource);
  });
  return `because ${words.join(", ")}`;
}

const placeOf = (resource: Recorded | undefined): string =>
  ` from ${resource?.options.provider?.split(" ")[1]?.replace(/-docker$/, "") ?? "elsewhere"}`;

/** `location changes from fsn1 to nbg1`; without the values where they are long or secret. */
function changeOf(input: string, before: Recorded | undefined, after: Recorded): string {
  const [was, is] = [before?.inputs[input], after.inputs[input]].map(shown);
  return was !== undefined && is !== undefined && was !== is
    ? `${input} changes from ${was} to ${is}`
    : `${input} changes`;
}

const shown = (value: unknown): string | undefined =>
  typeof value === "number" || (typeof value === "string" && value.length <= 60) ? String(value) : undefined;

export const giveUp =
  "to give it up for good, switch orion:protection off and update before the move, and on again after it";

/** What to do instead of a deletion: what is not protected has been given up already. */
function insteadOfDeletion(resource: Recorded, severity: Severity): string {
  const keep = `keep ${keepOf(resource)}`;
  return severity === "loss" ? keep : `${keep}; ${giveUp}`;
}

/** The setting that keeps a resource which would be deleted. */
function keepOf({ type, name }: Recorded): string {
  const server = /^(db-\d+)-/.exec(name)?.[1];
  if (server !== undefined) return `${server} (orion:database.availability)`;
  if (name === sessionKey) return "apps or workers in the stack";
  if (name === archiveBucket || name === archiveKey) return "orion:backups.pointInTime true";
  if (type === types.bucket || type === types.bytes) return "orion:storage.backend r2";
  if (name === "storage-uploads") return "orion:storage.backend local";
  if (type === types.dockerVolume && /^(cache|broker)\b/.test(name)) return ofRedis(name);
  if (type === types.dockerVolume) return "orion:hosting local and orion:database.mode provision";
  if (type === types.password || type === types.volume)
    return "orion:database.mode provision, or move the data first: make move-database (docs/external.md)";
  if (type === types.loadBalancer) return "orion:edge.balancing regional";
  if (type === types.record) return "orion:cloudflare.enabled true and orion:domain";
  if (ofServers.has(type)) return "orion:hosting hetzner, and orion:phase as it was";
  return "the settings that create it";
}

/** What a stack has for its servers, whatever runs on them. */
const ofServers: ReadonlySet<string> = new Set([
  ...[types.network, types.primaryIp, types.privateKey, types.selfSigned, types.server],
]);

/** The settings that keep the volume of a Redis; on this machine the services that use it are a list as well. */
const ofRedis = (name: string): string =>
  `orion:cache.mode provision, with ${name.startsWith("broker") ? "orion:workers.enabled true" : "cache"} and what uses it in orion:services`;

/** The settings that say on which Docker Engine something is. */
function settingOfPlace({ name, options }: Recorded, before: Recorded | undefined): string {
  const isLocal = [before?.options, options].some((one) => one?.provider?.endsWith(" local-docker"));
  if (isLocal) return "orion:hosting";
  return name === "storage-uploads" ? "the servers of apps (orion:phase, orion:app.servers)" : "orion:phase";
}

/** What to do instead of a replacement. */
function insteadOf({ resource, before, forcedBy }: Change): string {
  if (forcedBy.includes("location")) {
    // The setting may never have been written: the default of an earlier version may have been another one.
    const server = /^[a-z]+-\d+/.exec(resource.name)?.[0] ?? "it";
    const location = shown(before?.inputs.location) ?? "its location";
    return (
      `set orion:hetzner.locations so that ${server} stays in ${location} (core-1 is in the first of the list, ` +
      "db-2 in the second); to move data to another location, add a replica there"
    );
  }
  if (resource.type === types.bucket) {
    return "leave orion:storage.bucket and orion:cloudflare.accountId as they were; another bucket needs another stack";
  }
  const settings = forcedBy.map((reason) =>
    reason === "provider" ? settingOfPlace(resource, before) : (reason.split(" ").pop() ?? reason),
  );
  return `leave ${[...new Set(settings)].join(", ")} as it was`;
}
