/** Reads fields of request bodies; errors name the field as Cloudflare's do. */
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { ApiError } from "./envelope.ts";

export const isText = (value: unknown): value is string => typeof value === "string";

/** A list of records, or an empty one for anything else. */
export const records = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);

/** The strings in a list, or an empty list for anything else. */
export const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter(isText) : []);

/** Returns a required, non-empty string. */
export function requireText(body: Json, key: string, code = 1004): string {
  const value = body[key];
  if (!isText(value) || value === "") throw invalid(key, value, "a string", code);
  return value;
}

export function requireBoolean(body: Json, key: string, code = 1004): boolean {
  const value = body[key];
  if (typeof value !== "boolean") throw invalid(key, value, "true or false", code);
  return value;
}

export function requireRecords(body: Json, key: string, code = 1004): Json[] {
  const value = body[key];
  if (!Array.isArray(value) || !value.every(isRecord)) throw invalid(key, value, "a list of objects", code);
  return value;
}

export function requireTexts(body: Json, key: string, code = 1004): string[] {
  const value = body[key];
  if (!Array.isArray(value) || !value.every(isText)) throw invalid(key, value, "a list of strings", code);
  return value;
}

export function requireOneOf<T extends string>(body: Json, key: string, allowed: readonly T[], code = 1004): T {
  const value = allowed.find((each) => each === body[key]);
  if (value === undefined) throw invalid(key, body[key], allowed.join(", "), code);
  return value;
}

/** Refuses a number out of a range; a missing one is not refused. @param step 1 for whole numbers. @default 1 */
export function checkNumber(body: Json, key: string, least: number, most: number, step = 1, code = 1004): void {
  const value = body[key] ?? least;
  // With decimal fractions, a rest is never exactly nothing.
  const isStep = typeof value === "number" && Math.abs(value / step - Math.round(value / step)) < 1e-9;
  if (!isStep || value < least || value > most)
    throw invalid(key, value, `a ${step === 1 ? "whole " : ""}number from ${least} to ${most}`, code);
}

export const invalid = (key: string, got: unknown, expected: string, code = 1004): ApiError =>
  new ApiError(
    400,
    code,
    got === undefined
      ? `${key} is required: ${expected}`
      : `${JSON.stringify(got)} is not a valid value for ${key}: expected ${expected}`,
    `/${key.replaceAll(".", "/")}`,
  );

/** The entries of a record whose keys are in the list and whose values were sent. */
export const pick = (body: Json, keys: readonly string[]): Json =>
  Object.fromEntries(keys.filter((key) => body[key] !== undefined).map((key) => [key, body[key]]));

/** The record without some keys. */
export const omit = (body: Json, keys: readonly string[]): Json =>
  Object.fromEntries(Object.entries(body).filter(([key]) => !keys.includes(key)));

/** The record without what is null: that counts as not sent. */
export const withoutNulls = (body: Json): Json =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
