/** Reads the log of events that the engine writes (`pulumi up --event-log`): which resource it changed, where, from when to when. Pure. */
import { z } from "zod";
import { shortUrn } from "../../policy/urn.ts";

/** What the engine does to a resource. Both halves of a replacement are `replace`. */
export type StepAction = "create" | "update" | "replace" | "delete";

export interface EngineStep {
  readonly action: StepAction;
  /** Type and name: `Container app-fsn1-1-1`. */
  readonly resource: string;
  /** The server that it is for, `Cloudflare`, or `everything else`. */
  readonly place: string;
  /** Start and end in milliseconds since 1970; the engine notes whole seconds. */
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
}

export interface EngineLog {
  readonly steps: readonly EngineStep[];
  /** Number of resources that were compared and stayed as they are. */
  readonly unchanged: number;
}

const metadataSchema = z.object({
  op: z.string(),
  urn: z.string(),
  type: z.string(),
  provider: z.string().default(""),
  old: z.object({ custom: z.boolean().optional() }).nullish(),
  new: z.object({ custom: z.boolean().optional() }).nullish(),
});
const resourceSchema = z.object({ metadata: metadataSchema, planning: z.boolean().optional() });
const eventSchema = z.object({
  timestamp: z.number(),
  resourcePreEvent: resourceSchema.optional(),
  resOutputsEvent: resourceSchema.optional(),
  resOpFailedEvent: resourceSchema.optional(),
});
type Metadata = z.infer<typeof metadataSchema>;

const actions: Readonly<Record<string, StepAction>> = {
  create: "create",
  update: "update",
  delete: "delete",
  "create-replacement": "replace",
  "delete-replaced": "replace",
};

/**
 * The steps of an update. A step without an end, of an engine that was killed, ends with the last event and has failed.
 *
 * @param log lines of JSON; a last line that is cut off is left out
 * @param servers names of the stack's servers, before and after
 */
export function engineLogOf(log: string, servers: readonly string[]): EngineLog {
  const open = new Map<string, { readonly metadata: Metadata; readonly at: number }>();
  const steps: EngineStep[] = [];
  let unchanged = 0;
  let last = 0;
  const end = (key: string, at: number, failed: boolean): void => {
    const begun = open.get(key);
    if (!begun) return;
    open.delete(key);
    steps.push(stepOf(begun.metadata, begun.at, at, failed, servers));
  };
  for (const event of eventsIn(log)) {
    const at = event.timestamp * 1000;
    last = Math.max(last, at);
    const { resourcePreEvent: begins, resOutputsEvent: ends, resOpFailedEvent: fails } = event;
    if (begins && isStep(begins.metadata)) open.set(keyOf(begins.metadata), { metadata: begins.metadata, at });
    if (ends) end(keyOf(ends.metadata), at, false);
    if (fails) end(keyOf(fails.metadata), at, true);
    if (begins?.metadata.op === "same" && isResource(begins.metadata)) unchanged++;
  }
  for (const key of [...open.keys()]) end(key, last, true);
  return { steps: steps.sort((one, other) => one.from - other.from || one.to - other.to), unchanged };
}

function eventsIn(log: string): z.infer<typeof eventSchema>[] {
  const lines = log.split("\n").filter((line) => line !== "");
  return lines.flatMap((line, index) => {
    const event = parsed(line);
    if (event !== undefined) return [eventSchema.parse(event)];
    if (index === lines.length - 1) return [];
    throw new Error(`Line ${index + 1} of the engine's log of events is not JSON.`);
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** A component is a name for its parts; nothing is done to it. */
const isResource = (metadata: Metadata): boolean => metadata.new?.custom === true || metadata.old?.custom === true;
const isStep = (metadata: Metadata): boolean =>
  metadata.op in actions && isResource(metadata) && !metadata.type.startsWith("pulumi:");
const keyOf = ({ op, urn }: Metadata): string => `${op} ${urn}`;

function stepOf(metadata: Metadata, from: number, to: number, failed: boolean, servers: readonly string[]): EngineStep {
  const [type = "", name = ""] = (shortUrn(metadata.urn) ?? metadata.urn).split(" ");
  return {
    action: actions[metadata.op] ?? "update",
    resource: `${type.split(":").pop() ?? type} ${name}`,
    place: placeOf(metadata, name, servers),
    ...{ from, to, failed },
  };
}

export const elsewhere = "everything else";

function placeOf({ type, provider }: Metadata, name: string, servers: readonly string[]): string {
  const engine = /^(.+)-docker$/.exec(shortUrn(provider)?.split(" ")[1] ?? "")?.[1];
  if (engine !== undefined) return engine;
  // `app-fsn1-10` begins with `app-fsn1-1`: the longest name is the server's.
  const own = servers.filter((server) => `${name}-`.includes(`${server}-`)).sort((a, b) => b.length - a.length)[0];
  return own ?? (type.startsWith("cloudflare:") ? "Cloudflare" : elsewhere);
}
