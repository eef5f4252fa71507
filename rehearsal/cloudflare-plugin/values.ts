/** Helpers for values of the plugin protocol: JSON in which a special string marks a value that is not known yet. */
import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../../common/record.ts";

export type Values = Readonly<Record<string, unknown>>;

/** The engine's marker for a value that is only known after an update. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value is or contains the marker for unknown values. */
export function hasUnknown(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasUnknown);
  if (isRecord(value)) return Object.values(value).some(hasUnknown);
  return value === unknown;
}

export const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

/** A copy without absent values and without the keys that the SDK adds for internal use. */
export function clean(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => !isAbsent(value) && key !== "__defaults" && key !== "__internal"),
  );
}

/** Deep equality of plain values; an absent key equals one that is null. */
export function isSame(a: unknown, b: unknown): boolean {
  if (isAbsent(a) || isAbsent(b)) return isAbsent(a) && isAbsent(b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (isRecord(a) && isRecord(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => isSame(a[key], b[key]));
  }
  return isDeepStrictEqual(a, b);
}
