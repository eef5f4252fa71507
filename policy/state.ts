/** Converts the engine's state to a graph, in the same form as the program's, so that both can be compared. Pure. */
import { z } from "zod";
import { isRecord } from "../common/record.ts";
import { signatureKey } from "../common/secrets.ts";
import { type Graph, keyOf, type Recorded, unknown, type Uses } from "./graph.ts";
import { type Phase, phases } from "../config/schema.ts";
import { factsIn } from "./stack-facts.ts";
import { shortUrn } from "./urn.ts";

const urns = z.array(z.string()).nullish();
const resourceSchema = z.object({
  urn: z.string(),
  type: z.string(),
  custom: z.boolean().default(false),
  delete: z.boolean().default(false),
  inputs: z.record(z.string(), z.unknown()).default({}),
  outputs: z.record(z.string(), z.unknown()).optional(),
  parent: z.string().optional(),
  protect: z.boolean().default(false),
  retainOnDelete: z.boolean().default(false),
  deletedWith: z.string().optional(),
  dependencies: urns,
  provider: z.string().optional(),
  propertyDependencies: z.record(z.string(), urns).nullish(),
});

/** The part of a state that is read, as `pulumi stack export` prints it below `deployment`. */
export const stateSchema = z.looseObject({ resources: z.array(resourceSchema).nullish() });
export type State = z.infer<typeof stateSchema>;

/** The outputs of the stack itself. */
export const outputsIn = ({ resources }: State): Readonly<Record<string, unknown>> =>
  (resources ?? []).find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};

/** The graph of a state, without resources that an interrupted update has still to delete. */
export function graphOf({ resources }: State): Graph {
  const there = (resources ?? []).filter((one) => !one.delete);
  const recorded = there.map((one) => ({ ...one, recorded: recordedOf(one) }));
  const uses = recorded.filter(({ custom }) => custom).map((one) => [keyOf(one.recorded), usesOf(one)] as const);
  const graph = { resources: recorded.map((one) => one.recorded), uses: new Map(uses) };
  return { ...graph, ...factsIn(graph.resources, outputsIn({ resources })) };
}

function recordedOf(one: z.infer<typeof resourceSchema>): Recorded {
  const options: Record<string, unknown> = {
    parent: one.parent?.includes("::pulumi:pulumi:Stack::") === true ? undefined : shortUrn(one.parent ?? ""),
    protect: one.protect || undefined,
    retainOnDelete: one.retainOnDelete || undefined,
    deletedWith: shortUrn(one.deletedWith ?? ""),
    // A default provider is left out: the program does not choose it, and its name contains its version.
    provider: /::default(_|::)/.test(one.provider ?? "") ? undefined : shortUrn(one.provider ?? ""),
  };
  return {
    type: one.type,
    name: one.urn.split("::").pop() ?? "",
    inputs: withoutDefaults(one.inputs) as Record<string, unknown>,
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
}

const usesOf = ({ propertyDependencies }: z.infer<typeof resourceSchema>): Uses =>
  Object.fromEntries(
    Object.entries(propertyDependencies ?? {}).map(([input, used]) => [
      input,
      (used ?? []).flatMap((urn) => shortUrn(urn) ?? []),
    ]),
  );

/** Inputs as the program registered them, without the provider's defaults; encrypted values are unknown. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (!isRecord(value)) return value;
  if (signatureKey in value) return unknown;
  const added: unknown = value["__defaults"];
  const defaults = new Set<unknown>(["__defaults", ...(Array.isArray(added) ? (added as unknown[]) : [])]);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (defaults.has(key) ? [] : [[key, withoutDefaults(inner)]])),
  );
}

/** The phase of a graph, from the labels of its resources at Hetzner. */
export function phaseIn({ resources }: Graph): Phase | undefined {
  const found = resources.flatMap(({ inputs: { labels } }) => (isRecord(labels) ? [labels["phase"]] : []));
  return phases.find((phase) => found.includes(phase));
}
