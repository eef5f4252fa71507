/** What clients send, checked: a refusal names the field, as Hetzner's own do. */
import { z } from "zod";
import { rangeOf } from "./addresses.ts";
import { invalid } from "./errors.ts";

/** @throws {HetznerError} invalid_input, with the first field that is wrong */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const { data, error } = schema.safeParse(body ?? {});
  if (error === undefined) return data;
  const [issue] = error.issues;
  throw invalid(issue?.path.join(".") ?? "", issue?.message ?? "is not valid");
}

const labelKey = /^([a-z0-9.-]{1,253}\/)?[a-z0-9]([\w.-]{0,61}[a-z0-9])?$/i;
const labelValue = /^([a-z0-9]([\w.-]{0,61}[a-z0-9])?)?$/i;

export const labels = z.record(
  z.string().regex(labelKey, "must be a valid label key"),
  z.string().regex(labelValue, "must be a valid label value"),
);
export const name = z.string().min(1).max(128);
/** A server's name is its host name: RFC 1123. */
export const hostName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i, "must be a valid hostname");
export const id = z.int().positive();
/** Ids, each once. */
export const ids = z.array(id).refine((list) => new Set(list).size === list.length, "must not have the same id twice");
export const idOrName = z.union([z.string().min(1), id]);
export const port = z.int().min(1).max(65535);
export const cidr = z
  .string()
  .refine((text) => rangeOf(text) !== undefined, "must be an IPv4 network such as 10.0.0.0/16");
/** `null` stands for what was left out. */
export const maybe = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => (value === null ? undefined : value));
