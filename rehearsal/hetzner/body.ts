/** Validates request bodies; errors name the field as Hetzner's do. A property that is not honoured is refused, too. */
import { z } from "zod";
import { rangeOf } from "./addresses.ts";
import { invalidFields, notEmulated } from "./errors.ts";

/**
 * Reads a body by a schema of strict objects.
 *
 * @throws {HetznerError} not_emulated for the first property that the schema does not have; invalid_input for all invalid ones
 */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const { data, error } = schema.safeParse(body ?? {});
  if (error === undefined) return data;
  for (const issue of error.issues) {
    if (issue.code !== "unrecognized_keys") continue;
    throw notEmulated(`the property '${[...issue.path, issue.keys[0]].join(".")}'`);
  }
  throw invalidFields(error.issues.map(({ path, message }) => ({ name: path.join("."), messages: [message] })));
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
/** The body of a command that has none. */
export const nothing = z.strictObject({});
export const id = z.int().positive();
/** A list of distinct ids. */
export const ids = z.array(id).refine((list) => new Set(list).size === list.length, "must not contain an id twice");
export const idOrName = z.union([z.string().min(1), id]);
export const port = z.int().min(1).max(65535);
export const cidr = z
  .string()
  .refine((text) => rangeOf(text) !== undefined, "must be an IPv4 network such as 10.0.0.0/16");
/** An optional field; `null` counts as absent. */
export const maybe = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => (value === null ? undefined : value));
