/** Says what is wrong with a setting, in one line. Pure. */
import { z } from "zod";
import { nearest } from "../common/nearest.ts";
import { isRecord } from "../common/record.ts";
import { didYouMean, line } from "./line.ts";
import { phases, secretKeys, settingsSchema } from "./schema.ts";

/** One problem that the schema has found: key, value, what is allowed, and what may have been meant. */
export function explain(issue: z.core.$ZodIssue, values: Readonly<Record<string, unknown>>): string {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(path).join(", ");
    return issue.keys
      .map((key) => {
        const full = [...path, key];
        const allowed = path.length === 0 ? `a known key: ${known}` : `one of ${known}`;
        return line(full.join("."), valueAt(values, full), allowed + didYouMean(meantKey(path, key)));
      })
      .join("\n  ");
  }
  const value = valueAt(values, path);
  const meant = issue.code === "invalid_value" ? nearestText(value, issue.values.map(String)) : undefined;
  return line(path.join("."), value, allowed(issue) + didYouMean(meant));
}

/** The phase is missing, or none that there is. */
export function explainPhase(values: Readonly<Record<string, unknown>>): string {
  const { phase } = values;
  const misspelt = Object.keys(values).find((key) => nearest(key, ["phase"]));
  const meant =
    phase === undefined ? misspelt && `orion:phase instead of orion:${misspelt}` : nearestText(phase, phases);
  return line("phase", phase, `one of ${phases.join(", ")}${didYouMean(meant)}`);
}

function allowed(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `${issue.minimum} or more${unitOf(issue.origin)}`;
    case "too_big":
      return `${issue.maximum} or less${unitOf(issue.origin)}`;
    case "invalid_type": {
      const type = typeNames[issue.expected] ?? issue.expected;
      return `${/^[aeio]/.test(type) ? "an" : "a"} ${type}`;
    }
    case "invalid_key":
      return issue.issues.map(allowed).join(", ");
    case "invalid_format":
      return issue.format === "regex" ? issue.message : `a valid ${formatNames[issue.format] ?? issue.format}`;
    default:
      return issue.message;
  }
}

const formatNames: Readonly<Record<string, string>> = { hostname: "host name", email: "e-mail address" };
const typeNames: Readonly<Record<string, string>> = {
  int: "whole number",
  record: "object",
  array: "list",
  string: "text",
};
const units: Readonly<Record<string, string>> = { array: " entries", string: " characters" };
const unitOf = (origin: string): string => units[origin] ?? "";

/** The keys that the schema knows at a path, for the message about one that it does not know. */
function knownKeys(path: readonly string[]): string[] {
  let schema: unknown = settingsSchema;
  for (const step of path) {
    schema = unwrap(schema);
    if (schema instanceof z.ZodObject) schema = (schema.shape as Record<string, unknown>)[step];
  }
  schema = unwrap(schema);
  const own = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return path.length === 0 ? [...own, ...secretKeys] : own;
}

const nearestText = (value: unknown, known: readonly string[]): string | undefined =>
  typeof value === "string" ? nearest(value, known) : undefined;

/** The known key that an unknown one is closest to: where it is, or the same name in another section. */
function meantKey(path: readonly string[], key: string): string | undefined {
  const beside = nearest(key, knownKeys(path));
  if (beside !== undefined) return `orion:${[...path, beside].join(".")}`;
  const elsewhere = Object.keys(settingsSchema.shape).find((section) => knownKeys([section]).includes(key));
  return elsewhere && `orion:${elsewhere}.${key}`;
}

const unwrap = (schema: unknown): unknown => (schema instanceof z.ZodOptional ? schema.unwrap() : schema);

/** The value at a path of keys and indices; undefined when there is none. */
export function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, step) => (isRecord(at) ? at[step] : Array.isArray(at) ? (at as unknown[])[Number(step)] : undefined),
    values,
  );
}
