/** Values of the configuration, right and wrong, made from its schema: what is added there is tried out with the rest. */
import fc from "fast-check";
import { z } from "zod";
import { settingsSchema } from "../../../config/schema.ts";
import { publicKey } from "./settings.ts";

/** As much of JSON Schema as the configuration's needs. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | false;
}

const root = z.toJSONSchema(settingsSchema, { io: "input" }) as Schema;
const sections = root.properties ?? {};

/** A value that the schema takes for one of the configuration's keys, or only some of its keys where it is an object. */
export function valueOf(key: string): fc.Arbitrary<unknown> {
  const section = sections[key];
  if (!section) throw new Error(`the schema has no '${key}'`);
  return valid(section, true);
}

function valid(schema: Schema, partial = false): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => valid(one)));
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 2 ** 31 });
    case "string":
      return validText(schema);
    case "array":
      return fc.array(valid(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: schema.maxItems ?? 3 });
    case "object":
      return schema.properties ? validObject(schema.properties, partial ? [] : schema.required) : validMap(schema);
    default:
      throw new Error(`values of ${JSON.stringify(schema)} cannot be made`);
  }
}

/** By pattern: to prepare one takes a hundred times as long as to make a text with it. */
const textsMatching = new Map<string, fc.Arbitrary<string>>();

function validText({ format, pattern, minLength = 0 }: Schema): fc.Arbitrary<string> {
  if (format === "hostname") return fc.domain();
  if (format === "ssh-public-key") return fc.stringMatching(/^\w+$/).map(publicKey);
  if (pattern === undefined) return fc.string({ minLength });
  const texts = textsMatching.get(pattern) ?? fc.stringMatching(new RegExp(pattern));
  textsMatching.set(pattern, texts);
  return texts;
}

const validObject = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []) =>
  fc.record(Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, valid(schema)])), {
    requiredKeys: [...required],
  });

const validMap = ({ propertyNames, additionalProperties }: Schema) =>
  fc.dictionary(validText(propertyNames ?? {}), valid(additionalProperties || {}), { maxKeys: 3 });

/** A key, as its path, and a value that is not allowed there. */
export interface Mistake {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** The mistakes at each place of the configuration. */
export const mistakes = (): fc.Arbitrary<Mistake>[] =>
  placesIn(root, []).map(([path, values]) => values.map((value) => ({ path, value })));

type Place = readonly [path: readonly string[], wrong: fc.Arbitrary<unknown>];

/** Every place below a schema where something can be wrong, with what can be wrong there. */
function placesIn(schema: Schema, path: readonly string[]): Place[] {
  const own: Place[] = path.length === 0 ? [] : [[path, wrong(schema, path.length === 1)]];
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => placesIn(value, [...path, key]));
  const items = schema.items ? placesIn(schema.items, [...path, "0"]) : [];
  return [...own, ...inner, ...items, ...unknownKeys(schema, path), ...entriesOf(schema, path)];
}

const unknownKeys = ({ properties }: Schema, path: readonly string[]): Place[] =>
  properties === undefined || path.includes("0")
    ? []
    : [[[...path, "noSuchKey"], fc.oneof(fc.integer(), fc.boolean())]];

const entriesOf = ({ additionalProperties }: Schema, path: readonly string[]): Place[] =>
  additionalProperties
    ? [
        [[...path, "KEY"], wrong(additionalProperties, false)],
        [[...path, "lower-case"], fc.constant("text")],
      ]
    : [];

/** @param atTop there an empty text means that nothing was said */
function wrong(schema: Schema, atTop: boolean): fc.Arbitrary<unknown> {
  const text = fc.string({ minLength: atTop ? 1 : 0 });
  const notText = fc.oneof(fc.integer(), fc.boolean());
  if (schema.enum) return fc.oneof(text, notText).filter((value) => !schema.enum?.includes(value));
  // What is neither a text, a number nor a truth value.
  if (schema.anyOf?.some(({ type }) => type === "integer")) return fc.array(text);
  if (schema.anyOf) return schema.anyOf.some(({ type }) => type === "boolean") ? fc.integer() : notText;
  switch (schema.type) {
    case "boolean":
      return fc.oneof(text, fc.integer());
    case "integer":
      return fc.oneof(...wrongIntegers(schema), fc.double({ min: 1.1, max: 1.9 }), text, fc.boolean());
    case "string":
      return fc.oneof(notText, ...wrongTexts(schema, text));
    default:
      return fc.oneof(text, notText);
  }
}

const wrongIntegers = ({ minimum = 0, maximum = 2 ** 31 }: Schema) => [
  fc.integer({ max: minimum - 1 }),
  fc.integer({ min: maximum + 1 }),
];

function wrongTexts({ pattern, minLength = 0 }: Schema, text: fc.Arbitrary<string>): fc.Arbitrary<string>[] {
  if (pattern !== undefined) {
    const form = new RegExp(pattern);
    return [fc.oneof(text, fc.constant("not = allowed\n")).filter((value) => !form.test(value))];
  }
  return minLength > 0 ? [fc.constant("")] : [];
}
