/** The tables of docs/settings.md: each key with its type, its default in each phase, and an example. Pure. */
import { isRecord } from "../../common/record.ts";
import { valueAt } from "../../config/explain.ts";
import { presets } from "../../config/presets.ts";
import { phases, secretMeanings } from "../../config/schema.ts";
import { markdownTable } from "../markdown.ts";
import { type Schema, settings } from "./schema.ts";

/** One key of the settings. */
export interface Key {
  /** `app.servers.count`. */
  readonly path: string;
  readonly schema: Schema;
}

const isSection = ({ properties }: Schema): boolean => properties !== undefined;

/** The keys below one: objects are named by what is in them. */
const keysBelow = (path: string, schema: Schema): readonly Key[] =>
  schema.properties === undefined
    ? [{ path, schema }]
    : Object.entries(schema.properties).flatMap(([name, inner]) => keysBelow(`${path}.${name}`, inner));

/** Every key of the settings. */
export const allKeys: readonly Key[] = Object.entries(settings).flatMap(([name, schema]) => keysBelow(name, schema));

export function settingsPage(): string {
  const entries = Object.entries(settings);
  const top = entries.filter(([, schema]) => !isSection(schema)).map(([path, schema]) => ({ path, schema }));
  const sections = entries.filter(([, schema]) => isSection(schema));
  return [
    ["## general", "Keys that belong to no section.", table(top)],
    ...sections.map(([name, schema]) => [
      `## ${name}`,
      `\`orion:${name}\`: ${schema.description ?? ""}`,
      table(keysBelow(name, schema)),
    ]),
    ["## secrets", "Each is set with `npx pulumi config set --secret KEY`.", secretTable()],
  ]
    .flat()
    .join("\n\n");
}

const table = (keys: readonly Key[]): string =>
  markdownTable(
    ["Key", "Value", "Default", "Example", "Meaning"],
    keys.map(({ path, schema }) => [
      code(path),
      typeOf(schema),
      defaultOf(path),
      exampleOf({ path, schema }),
      schema.description ?? "",
    ]),
  );

const secretTable = (): string =>
  markdownTable(
    ["Key", "Meaning"],
    Object.entries(secretMeanings).map(([key, meaning]) => [code(key), meaning]),
  );

/** What a value may be, in words: `1 to 64`, `list of paths`. */
export function typeOf(schema: Schema): string {
  const { type, anyOf, items, minimum, maximum, patternErrorMessage } = schema;
  if (patternErrorMessage !== undefined) return patternErrorMessage;
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (anyOf !== undefined) return anyOf.map(typeOf).join(", or ");
  switch (type) {
    case "boolean":
      return "`true`, `false`";
    case "integer":
      return minimum === Number.MIN_SAFE_INTEGER ? "a whole number" : `${minimum} to ${maximum}`;
    case "array":
      return `list: ${typeOf(items ?? {})}`;
    case "object":
      return `object: ${typeOf(schema.propertyNames ?? {})}, ${typeOf(schema.additionalProperties || {})}`;
    default:
      return "text";
  }
}

/** The default in each phase, where it changes: `1; from mvp 2`. */
export function defaultOf(path: string): string {
  const values = phases.map((phase) => ({ phase, value: valueAt(presets[phase], path.split(".")) }));
  const changes = values.filter(
    ({ value }, index) => index === 0 || JSON.stringify(value) !== JSON.stringify(values[index - 1]?.value),
  );
  return path === "phase"
    ? "none"
    : changes.map(({ phase, value }, index) => `${index === 0 ? "" : `from ${phase} `}${shown(value)}`).join("; ");
}

/** As it is written in a stack's file. */
function exampleOf({ path, schema }: Key): string {
  const value = exampleValue({ path, schema });
  return value === undefined ? "" : code(yamlOf(value));
}

/** A value that the key takes: its own example, or the default of a phase with servers. */
export function exampleValue({ path, schema }: Key): unknown {
  if (path === "phase") return "mvp";
  const { examples, items, type, propertyNames, additionalProperties } = schema;
  if (examples !== undefined) return examples[0];
  const preset = valueAt(presets.scale, path.split("."));
  const isEmpty = typeof preset === "object" && preset !== null && Object.keys(preset).length === 0;
  if (preset !== undefined && !isEmpty) return preset;
  if (type === "array") return items?.examples?.slice(0, 1) ?? items?.enum?.slice(0, 1);
  if (type === "object") {
    const name = propertyNames?.examples?.[0];
    const value = (additionalProperties || {}).examples?.[0] ?? "enabled";
    return typeof name === "string" ? { [name]: value } : undefined;
  }
  return undefined;
}

const shown = (value: unknown): string => {
  if (value === undefined) return "absent";
  // Headers have long values; docs/edge.md shows them.
  const isLong = isRecord(value) && yamlOf(value).length > 120;
  return isLong ? Object.keys(value).map(code).join(", ") : code(yamlOf(value));
};

/** In one line, as YAML has it. */
function yamlOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlOf).join(", ")}]`;
  if (isRecord(value))
    return `{${Object.entries(value)
      .map(([key, inner]) => ` ${key}: ${yamlOf(inner)} `)
      .join(",")
      .replaceAll(" ,", ",")}}`;
  return typeof value === "string" ? value.replaceAll("\n", "\\n") : String(value);
}

const code = (value: unknown): string => `\`${String(value)}\``;
