/** Values as they cross the plugin protocol: JSON, in which one special text stands for what is not known yet. */
import { isDeepStrictEqual } from "node:util";

export type Values = Readonly<Record<string, unknown>>;

/** What the engine writes for a value that only an update will tell. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const isRecord = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a value, or anything in it, is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasUnknown);
  if (isRecord(value)) return Object.values(value).some(hasUnknown);
  return value === unknown;
}

export const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

/** A copy without keys that are absent and without those that the SDK adds for itself. */
export function clean(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => !isAbsent(value) && key !== "__defaults" && key !== "__internal"),
  );
}

/** Equality of plain values, in which a key that is absent and one that is null are the same. */
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
