/** Computes what an update does to each resource, by the engine's rules but without the engine, from two graphs. Pure. */
import { isRecord } from "../common/record.ts";
import { ignoredInputs } from "../common/ignored-inputs.ts";
import { differs, type Graph, identitiesOf, identityOf, keyOf, madeIn, type Recorded, unknown } from "./graph.ts";
import { isReplacing } from "./replacing.ts";

export type Action = "create" | "update" | "replace" | "delete";

export interface Change {
  readonly action: Action;
  /** The new resource; for a deletion, the old one. */
  readonly resource: Recorded;
  /** The old resource; undefined for a creation. */
  readonly before?: Recorded;
  /** Inputs that change, without ignored ones. */
  readonly inputs: readonly string[];
  /** The keys of the resources that an input used before and no longer uses, by input; also where its value is not known. */
  readonly dropped?: ReadonlyMap<string, readonly string[]>;
  /** The reasons for a replacement: names of inputs, `provider` if the provider changes, or the key of another resource. */
  readonly forcedBy: readonly string[];
}

interface Pair {
  readonly before: Recorded;
  readonly after: Recorded;
  readonly inputs: Set<string>;
  readonly dropped: Map<string, readonly string[]>;
  readonly forcedBy: Set<string>;
}

/** The changes of an update from one graph to the other, in the order of the new one. Unchanged resources are left out. */
export function changesBetween(before: Graph, after: Graph): Change[] {
  const { pairs, created, deleted } = match(before, after);
  const renamed = new Map(pairs.map((pair) => [keyOf(pair.before), keyOf(pair.after)]));
  for (const pair of pairs) compareInputs(pair, before, after, renamed);
  spread(pairs, after);
  return [
    ...created.map((resource): Change => ({ action: "create", resource, inputs: [], forcedBy: [] })),
    ...pairs.flatMap((pair): Change[] => {
      const inputs = [...pair.inputs].sort();
      const common = { resource: pair.after, before: pair.before, inputs, dropped: pair.dropped };
      if (pair.forcedBy.size > 0) return [{ ...common, action: "replace", forcedBy: [...pair.forcedBy].sort() }];
      return inputs.length > 0 ? [{ ...common, action: "update", forcedBy: [] }] : [];
    }),
    ...deleted.map((resource): Change => {
      return { action: "delete", resource, before: resource, inputs: [], forcedBy: [] };
    }),
  ];
}

function match(before: Graph, after: Graph) {
  const identityBefore = identityOf(before);
  const identitiesAfter = identitiesOf(after);
  const left = new Map(madeIn(before).map((resource) => [identityBefore(resource), resource]));
  const pairs: Pair[] = [];
  const created: Recorded[] = [];
  for (const resource of madeIn(after)) {
    const known = identitiesAfter(resource).find((identity) => left.has(identity));
    const was = known ?? formerOf(resource, left);
    const found = was === undefined ? undefined : left.get(was);
    if (was !== undefined && found) {
      left.delete(was);
      pairs.push({ before: found, after: resource, inputs: new Set(), dropped: new Map(), forcedBy: new Set() });
    } else created.push(resource);
  }
  return { pairs, created, deleted: [...left.values()] };
}

/** The identity of the resource that an alias names. */
function formerOf(resource: Recorded, among: ReadonlyMap<string, Recorded>): string | undefined {
  if (resource.options.aliases === undefined) return undefined;
  return [...among].find(([, one]) => isAlias(resource, one))?.[0];
}

/** Whether an alias names the earlier resource; the parents of the two are not compared. */
const isAlias = ({ type, options: { aliases = [] } }: Recorded, before: Recorded): boolean =>
  (type === before.type && aliases.includes(before.name)) || aliases.includes(keyOf(before));

/** Records the inputs that differ. @param renamed each resource's new key by its old one */
function compareInputs(
  { before, after, inputs, dropped, forcedBy }: Pair,
  graphBefore: Graph,
  graphAfter: Graph,
  renamed: ReadonlyMap<string, string>,
): void {
  const ignored = new Set([...(after.options.ignoreChanges ?? []), ...(ignoredInputs[after.type] ?? [])]);
  const usedBefore = graphBefore.uses.get(keyOf(before)) ?? {};
  const usedAfter = graphAfter.uses.get(keyOf(after)) ?? {};
  for (const input of new Set([...Object.keys(before.inputs), ...Object.keys(after.inputs)])) {
    const [was, is] = [before.inputs[input], after.inputs[input]];
    // An unknown value counts as changed when it comes from other resources than before.
    const used = usedBefore[input]?.map((key) => renamed.get(key) ?? key);
    const isOther = !sameSet(used, usedAfter[input]) && (holds(was, unknown) || holds(is, unknown));
    if (ignored.has(input) || !(differs(was, is) || isOther)) continue;
    inputs.add(input);
    const left = (used ?? []).filter((key) => !usedAfter[input]?.includes(key));
    if (left.length > 0) dropped.set(input, left);
    if (isReplacing(after, input)) forcedBy.add(input);
  }
  if (before.options.provider !== after.options.provider) forcedBy.add("provider");
}

/** Spreads replacements: a replaced resource changes the inputs of the resources that use it. */
function spread(pairs: readonly Pair[], { uses }: Graph): void {
  const replaced = new Set<string>();
  for (let found = true; found;) {
    found = false;
    for (const { after, inputs, forcedBy } of pairs) {
      const key = keyOf(after);
      const { deletedWith, ignoreChanges } = after.options;
      if (deletedWith !== undefined && replaced.has(deletedWith)) forcedBy.add(deletedWith);
      for (const [input, used] of Object.entries(uses.get(key) ?? {})) {
        if (ignoreChanges?.includes(input) || !used.some((one) => replaced.has(one))) continue;
        inputs.add(input);
        if (isReplacing(after, input)) forcedBy.add(input);
      }
      if (forcedBy.size > 0 && !replaced.has(key)) {
        replaced.add(key);
        found = true;
      }
    }
  }
}

function holds(value: unknown, wanted: unknown): boolean {
  if (value === wanted) return true;
  const inner = Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : [];
  return inner.some((one) => holds(one, wanted));
}

const sameSet = (one: readonly string[] = [], other: readonly string[] = []): boolean =>
  one.length === other.length && one.every((key) => other.includes(key));
