/** Finds the changes of a move that must be refused, and those that the operator should know about. Pure. */
import { isRecord } from "../common/record.ts";
import { type Change, changesBetween } from "./changes.ts";
import { agreeTo, type Answer, imageChanges, ofAnswer, ofNames } from "./data-images.ts";
import { differs, type Graph, keyOf, type Recorded, unknown } from "./graph.ts";
import { movingTags } from "./moving-tags.ts";
import { lostQueues } from "./queues.ts";
import { withServerTypes } from "./server-types.ts";
import { holdsData } from "../topology/catalogue.ts";
import type { ServiceKind } from "../topology/service.ts";
import {
  archiveBucket,
  archiveKey,
  coreOf,
  hasServersIn,
  type Holds,
  holdingIn,
  isGuarded,
  roleOf,
  sessionKey,
  types,
} from "./stateful.ts";

/**
 * `refused`: the engine would stop at a protection half-way, data would become unreachable, or the platform would be gone; also
 * what the stack has to agree to with `orion:agreed`, and has not.
 * `loss`: the same in a stack without protection. `danger`: it succeeds, but users or operators notice it.
 */
export type Severity = "refused" | "loss" | "danger";

export interface Finding {
  readonly severity: Severity;
  /** Logical name of the resource. */
  readonly name: string;
  /** What would happen to it and why: `would be replaced because location changes from fsn1 to nbg1`. */
  readonly happens: string;
  /** What to do instead. */
  readonly instead?: string;
}

export interface Move {
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
}

/** What is known beside the two graphs. */
export interface Known {
  /** What the stack's `orion:agreed` lists. @default - nothing */
  readonly agreed?: readonly string[];
  /** What Docker Engines say about other images of containers with data, by the container's name. @default - no engine was asked */
  readonly answers?: ReadonlyMap<string, Answer>;
}

/** The changes of an update from one graph to the other, and the findings about them, the worst first. */
export function moveBetween(was: Graph, is: Graph, { agreed = [], answers }: Known = {}): Move {
  const { before, after } = withServerTypes({ before: was, after: is });
  const holds = holdingIn(before);
  const changes = changesBetween(before, after).map((change) => withDroppedData(change, before, holds));
  const deleted = new Set(changes.flatMap(({ action, resource }) => (action === "delete" ? [keyOf(resource)] : [])));
  const order: readonly Severity[] = ["refused", "loss", "danger"];
  const takenOver = otherCore(before, after);
  const findings = changes
    // The finding about the primary covers everything on that server.
    .filter(({ before: was }) => !takenOver || !was || !isPartOf(was, takenOver.name))
    // The finding about the host name covers its record, as long as the platform has another one.
    .filter(({ action, resource }) => action !== "delete" || resource.type !== types.record || !hasRecord(after))
    .flatMap((change) => findingsOf(change, holds, { guarded: isGuarded(before), deleted }))
    .concat(
      lostTiers(before, after, agreed),
      lostQueues(before, after),
      lostHostNames(before, after, agreed),
      movingTags(after),
    )
    .concat(
      imageChanges(before, after).flatMap((change) =>
        answers ? ofAnswer(change, answers.get(change.after.name) ?? {}, agreed) : ofNames(change),
      ),
    )
    .sort((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity));
  return { changes, findings: [...(takenOver ? [takenOver] : []), ...findings] };
}

/**
 * Refuses another server as the primary: an update neither promotes a replica nor merges the data of two servers. After `make
 * promote-replica` the state names the new primary already, so that this finding does not occur.
 */
function otherCore(before: Graph, after: Graph): Finding | undefined {
  const [was, is] = [before, after].map(coreOf);
  if (was === undefined || is === undefined || was === is) return undefined;
  return {
    severity: "refused",
    name: was,
    happens: `has the primary; orion:database.primary names ${is}, and an update alone moves no primary`,
    instead: `leave orion:database.primary at ${was}; if ${was} is lost, make promote-replica promotes the replica and sets it`,
  };
}

/** Tiers without which the platform does not work, by the role of their containers, with the effect. */
const tiers: Readonly<Record<string, string>> = {
  app: "no request would be answered",
  edge: "no visitor would reach the app",
  worker: "no task would be run",
};

/** Refuses to delete all containers of a tier on servers; changing their number is fine, and so is to agree to have no workers. */
function lostTiers(before: Graph, after: Graph, agreed: readonly string[]): Finding[] {
  if (!hasServersIn(before)) return [];
  const [had, has] = [before, after].map(({ resources }) =>
    resources.filter(({ type }) => type === types.container).map(roleOf),
  );
  const count = (roles: readonly string[] = [], wanted: string) => roles.filter((role) => role === wanted).length;
  return Object.entries(tiers).flatMap(([role, effect]): Finding[] => {
    const was = count(had, role);
    if (was === 0 || count(has, role) > 0) return [];
    const happens = `would all be deleted (${was} containers): ${effect}`;
    if (role === "worker") {
      if (agreed.includes(role)) return [{ severity: "danger", name: `${role} containers`, happens }];
      const instead = `leave orion:workers.enabled true; to give Celery up, send no more tasks, wait until make doctor shows none, and ${agreeTo(role)}`;
      return [{ severity: isGuarded(before) ? "refused" : "loss", name: `${role} containers`, happens, instead }];
    }
    const lost = { name: `${role} containers`, happens };
    return [isGuarded(before) ? { severity: "refused", ...lost, instead: giveUp } : { severity: "loss", ...lost }];
  });
}

/** Refuses to give up a public host name, unless the stack agrees: links, webhooks and visitors still use it. */
function lostHostNames(before: Graph, after: Graph, agreed: readonly string[]): Finding[] {
  if (before.hostNames === undefined || after.hostNames === undefined) return [];
  const kept = new Set(after.hostNames);
  return before.hostNames
    .filter((name) => !kept.has(name))
    .map((name): Finding => {
      const happens =
        "would not be answered any more: links in e-mails, webhooks of other services and visitors still use it";
      if (agreed.includes(name)) return { severity: "danger", name, happens };
      return {
        severity: "refused",
        name,
        happens,
        instead: `leave the setting with ${name} as it was; to give it up, ${agreeTo(name)}`,
      };
    });
}

const isPartOf = ({ name, options }: Recorded, server: string): boolean =>
  options.deletedWith === `${types.server} ${server}-server` || name.startsWith(`${server}-`);

const hasRecord = ({ resources }: Graph): boolean => resources.some(({ type }) => type === types.record);

/** Whether a move loses nothing. */
export const isSafe = ({ findings }: Pick<Move, "findings">): boolean =>
  findings.every(({ severity }) => severity === "danger");

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

function findingsOf(change: Change, holds: Holds, known: Omit<Context, "held">): Finding[] {
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
function withDroppedData(change: Change, { resources }: Graph, holds: Holds): Change {
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
  if (type === types.server && inputs.includes("serverType")) {
    return [
      {
        severity: "danger",
        name,
        happens: `would be powered off, and on again with another type: ${change("serverType")}`,
      },
    ];
  }
  const unplugged = inputs.filter((input) => input === "publicNets" || input === "placementGroupId");
  if (type === types.server && unplugged.length > 0) {
    return [{ severity: "danger", name, happens: `would be powered off and on: ${unplugged.map(change).join(", ")}` }];
  }
  if (type === types.record && inputs.includes("content")) {
    return [{ severity: "danger", name, happens: "would send visitors to another address" }];
  }
  return type === types.container ? ofContainer(whole) : [];
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

const giveUp = "to give it up for good, switch orion:protection off and update before the move, and on again after it";

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
  if (type === types.bucket) return "orion:storage.backend r2";
  if (type === types.password || type === types.volume)
    return "orion:database.mode provision, or move the data first: make move-database (docs/external.md)";
  if (type === types.record) return "orion:cloudflare.enabled true and orion:domain";
  return "the settings that create it";
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
  return `leave ${forcedBy.map((reason) => reason.split(" ").pop() ?? reason).join(", ")} as it was`;
}

/** A finding as a line. */
export const lineOf = ({ name, happens, instead }: Finding): string =>
  `${name} ${happens}${instead === undefined ? "" : `. Instead: ${instead}`}`;
