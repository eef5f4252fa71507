/** A resource graph as plain data: the resources that a program would register, or those of a state. */
import { isRecord } from "../common/record.ts";
import type { Settings } from "../config/schema.ts";

export interface Recorded {
  readonly type: string;
  readonly name: string;
  /** Inputs as they go to the engine; a secret is `{ "[secret]": value }`, a value that only a provider knows {@link unknown}. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly options: RecordedOptions;
}

/** Options that are not the default; they refer to resources by `type name`. */
export interface RecordedOptions {
  readonly parent?: string;
  readonly protect?: true;
  readonly retainOnDelete?: true;
  readonly deleteBeforeReplace?: boolean;
  readonly deletedWith?: string;
  readonly ignoreChanges?: string[];
  readonly replaceOnChanges?: string[];
  readonly dependencies?: string[];
  readonly provider?: string;
  /** Former names, or former `type name`; a resource that only changed its parents has its own name. */
  readonly aliases?: string[];
}

/** The resources behind the inputs of a resource: their `type name`, by the property that they go into. */
export type Uses = Readonly<Record<string, readonly string[]>>;

/** What is known of a stack beside its resources (policy/stack-facts.ts). */
export interface StackFacts {
  /** Public host names, of the platform and of its files. @default - not known */
  readonly hostNames?: readonly string[];
  /** Whose PostgreSQL the clients use. @default - not known, or there are no clients */
  readonly databaseMode?: Settings["database"]["mode"];
  /** Whose Redis the clients use. @default - not known */
  readonly cacheMode?: Settings["cache"]["mode"];
  /** How visitors reach the edges of a stack whose DNS records people keep. @default - not known, or the program keeps the records */
  readonly balancing?: Settings["edge"]["balancing"];
}

export interface Graph extends StackFacts {
  readonly resources: readonly Recorded[];
  /** By the `type name` of each resource that a provider makes; a component has no entry. */
  readonly uses: ReadonlyMap<string, Uses>;
}

/** Placeholder of a value that only a provider knows. */
export const unknown = "[unknown]";

/** The key by which other resources refer to this one. */
export const keyOf = ({ type, name }: Pick<Recorded, "type" | "name">): string => `${type} ${name}`;

/** The engine's identity of a resource: its name and the types of all its parents. */
export function identityOf(graph: Graph): (resource: Recorded) => string {
  const identities = identitiesOf(graph);
  return (resource) => identities(resource)[0] ?? "";
}

/** The identity of a resource, then its former identities by its own aliases and those of its parents. */
export function identitiesOf(graph: Graph): (resource: Recorded) => readonly string[] {
  const byKey = new Map(graph.resources.map((resource) => [keyOf(resource), resource]));
  const keysOf = ({ type, name, options }: Recorded): { readonly type: string; readonly name: string }[] => [
    { type, name },
    ...(options.aliases ?? []).map((alias) => {
      const [first = "", second] = alias.split(" ");
      return second === undefined ? { type, name: first } : { type: first, name: second };
    }),
  ];
  interface Identity {
    readonly type: string;
    readonly name: string;
    /** The types of the parents, each with the separator that follows it. */
    readonly prefix: string;
  }
  const identities = (resource: Recorded): readonly Identity[] => {
    const parent = resource.options.parent === undefined ? undefined : byKey.get(resource.options.parent);
    const own = keysOf(resource);
    if (!parent) return own.map((key) => ({ ...key, prefix: "" }));
    return own.flatMap(({ type, name }) =>
      identities(parent).map((one) => ({
        type,
        // As in the engine: a child that is named after its parent is taken to have followed the parent's names.
        name: name.startsWith(parent.name) ? one.name + name.slice(parent.name.length) : name,
        prefix: `${one.prefix}${one.type}$`,
      })),
    );
  };
  return (resource) => [...new Set(identities(resource).map(({ prefix, type, name }) => `${prefix}${type}::${name}`))];
}

/** Types whose resources are settings of another resource: they come, change and go with it. */
const partsOfOthers: readonly string[] = [
  "orion:index:ContainerLimits",
  "orion:index:ContainerReady",
  "orion:index:VolumeFiles",
];

/** The resources that providers create, without components and parts of other resources, in the order of the graph. */
export const madeIn = ({ resources, uses }: Graph): Recorded[] =>
  resources.filter(
    (resource) =>
      uses.has(keyOf(resource)) && !resource.type.startsWith("pulumi:") && !partsOfOthers.includes(resource.type),
  );

/** `Server` of `hcloud:index/server:Server`. */
export const shortType = (type: string): string => type.split(":").pop() ?? type;

/**
 * Whether two values differ; an unknown value counts as equal to any other.
 * A number equals the text with the same digits, since providers convert one into the other.
 */
export function differs(before: unknown, after: unknown): boolean {
  if (before === after || before === unknown || after === unknown) return false;
  const [was, is] = [revealed(before), revealed(after)];
  if (was === unknown || is === unknown) return false;
  if (Array.isArray(was) && Array.isArray(is)) {
    return was.length !== is.length || was.some((one, index) => differs(one, is[index]));
  }
  if (isRecord(was) && isRecord(is)) {
    return [...new Set([...Object.keys(was), ...Object.keys(is)])].some((key) => differs(was[key], is[key]));
  }
  if (isScalar(was) && isScalar(is)) return String(was) !== String(is);
  return was !== is;
}

const secretMark = "[secret]";
const revealed = (value: unknown): unknown => (isRecord(value) && secretMark in value ? value[secretMark] : value);
const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";
