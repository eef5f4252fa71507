/** Compares results with golden files in tests/golden/, which have one resource a line, so that a diff shows every change. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..", "tests", "golden");
const howToUpdate = "UPDATE_GOLDEN=1 npx jest --selectProjects unit, then read the difference";

/** One line of a golden file: `kind name {value} {value}`. */
export interface Line {
  readonly kind: string;
  readonly name: string;
  readonly values: readonly object[];
}

/** A resource of a golden graph: a line `type name {inputs} {options}`. */
export interface GoldenResource {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly options: object;
}

/** Compares lines, in their order, with `tests/golden/<name>.txt`. With UPDATE_GOLDEN=1 it writes that file instead. */
export function expectGolden(name: string, lines: readonly Line[]): void {
  const texts = lines.map(textOf);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    writeFileSync(pathOf(name), `${texts.join("\n")}\n`);
    return;
  }
  try {
    const golden = textsIn(name);
    // Value by value first: jest then shows what differs within a line instead of two long lines.
    expect(valuesByName(texts)).toEqual(valuesByName(golden));
    expect(texts).toEqual(golden);
  } catch (error) {
    const difference = error instanceof Error ? error.message : String(error);
    throw new Error(`tests/golden/${name}.txt differs. When that is meant: ${howToUpdate}\n${difference}`, {
      cause: error,
    });
  }
}

/**
 * The lines that are not in `tests/golden/<name>.txt`, and those that are only there. With UPDATE_GOLDEN=1 it writes that file.
 *
 * @param isWhole whether these are all lines of the file; otherwise it is never written
 */
export function differencesFromGolden(
  name: string,
  lines: readonly Line[],
  isWhole = true,
): { readonly unexpected: readonly string[]; readonly missing: readonly string[] } {
  const texts = lines.map(textOf);
  if (isWhole && process.env["UPDATE_GOLDEN"] === "1") {
    writeFileSync(pathOf(name), `${texts.join("\n")}\n`);
    return { unexpected: [], missing: [] };
  }
  const golden = textsIn(name);
  return {
    unexpected: texts.filter((text) => !golden.includes(text)),
    missing: golden.filter((text) => !texts.includes(text)),
  };
}

/** The lines of a graph, sorted by type and name, an order with few merge conflicts. */
export const graphLines = (resources: readonly GoldenResource[]): Line[] =>
  resources
    .map(({ type, name, inputs, options }) => ({ kind: type, name, values: [inputs, options] }))
    .sort((a, b) => compare(`${a.kind} ${a.name}`, `${b.kind} ${b.name}`));

/** `graph-dev`, `graph-prod`: the golden graphs. */
export const goldenGraphs = (): string[] =>
  readdirSync(folder).flatMap((file) => /^(graph-.+)\.txt$/.exec(file)?.[1] ?? []);

export const goldenGraph = (name: string): GoldenResource[] =>
  textsIn(name).map((text) => {
    const { kind, name: resource, values } = lineOf(text);
    const [inputs = {}, options = {}] = values;
    return { type: kind, name: resource, inputs: { ...inputs }, options };
  });

const pathOf = (name: string): string => join(folder, `${name}.txt`);
const textsIn = (name: string): string[] => readFileSync(pathOf(name), "utf8").trimEnd().split("\n");
const textOf = ({ kind, name, values }: Line): string =>
  [kind, name, ...values.map((value) => JSON.stringify(value, keysSorted))].join(" ");

function lineOf(text: string): Line {
  const [, kind = "", name = "", rest = ""] = /^(\S+) (\S+) (.*)$/.exec(text) ?? [];
  return { kind, name, values: objectsIn(rest) };
}

/** The objects of a text, which are separated by spaces. */
function objectsIn(text: string): object[] {
  for (let end = text.indexOf("} {"); end >= 0; end = text.indexOf("} {", end + 1)) {
    // `} {` may also stand within a value: what comes before it is then no whole object.
    const first = parsed(text.slice(0, end + 1));
    if (first) return [first, ...objectsIn(text.slice(end + 2))];
  }
  const only = parsed(text);
  if (!only) throw new Error(`no objects in JSON: ${text.slice(0, 200)}`);
  return [only];
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const valuesByName = (texts: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(texts.map(lineOf).map(({ kind, name, values }) => [`${kind} ${name}`, values]));

/** For JSON.stringify: the order in which an object was written is no part of it. */
function keysSorted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => compare(a, b)));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
