/** Filters and order of the list of zones. Pure. */
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { directed, invalidParameter, parameterOf } from "./envelope.ts";

type Query = Readonly<Record<string, string>>;

const texts = ["name", "account.name"] as const;
const orders = ["name", "status", "account.id", "account.name", "plan.id"] as const;
const statuses = ["initializing", "pending", "active", "moved"] as const;
const types = ["full", "partial", "secondary", "internal"];

export const zoneParameters: readonly string[] = [
  ...texts,
  ...["account.id", "status", "type", "match", "order", "direction"],
];

/** Operators before the value of a text, as in `contains:example`. */
const operators: Readonly<Record<string, (text: string, wanted: string) => boolean>> = {
  equal: (text, wanted) => text === wanted,
  not_equal: (text, wanted) => text !== wanted,
  starts_with: (text, wanted) => text.toLowerCase().startsWith(wanted.toLowerCase()),
  ends_with: (text, wanted) => text.toLowerCase().endsWith(wanted.toLowerCase()),
  contains: (text, wanted) => text.toLowerCase().includes(wanted.toLowerCase()),
  starts_with_case_sensitive: (text, wanted) => text.startsWith(wanted),
  ends_with_case_sensitive: (text, wanted) => text.endsWith(wanted),
  contains_case_sensitive: (text, wanted) => text.includes(wanted),
};

/**
 * The zones that a call asks for, in its order; without one, in the order in which they came.
 *
 * @param zones as the API shows them
 * @throws {ApiError} for a value that a parameter cannot have
 */
export function selectZones(zones: readonly Json[], query: Query): readonly Json[] {
  const tests = [...texts.flatMap((name) => textTests(name, query)), ...exactTests(query)];
  const isAny = parameterOf(query, "match", ["all", "any"]) === "any" && tests.length > 0;
  const found = zones.filter((zone) => (isAny ? tests.some((test) => test(zone)) : tests.every((test) => test(zone))));
  const order = parameterOf(query, "order", orders);
  const sorted =
    order === undefined ? found : [...found].sort((a, b) => (textAt(a, order) < textAt(b, order) ? -1 : 1));
  return directed(sorted, query);
}

/** The text at a place such as `account.name`. */
const textAt = (zone: Json, place: string): string =>
  String(place.split(".").reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), zone));

function textTests(name: string, query: Query): ((zone: Json) => boolean)[] {
  const value = query[name];
  if (value === undefined) return [];
  const [, operator = "equal", wanted = value] = /^(\w+):(.*)$/.exec(value) ?? [];
  const compare = operators[operator];
  if (compare === undefined) {
    throw invalidParameter(name, value, `a text, or one after ${Object.keys(operators).join(":, ")}:`);
  }
  return [(zone) => compare(textAt(zone, name), wanted)];
}

function exactTests(query: Query): ((zone: Json) => boolean)[] {
  const status = parameterOf(query, "status", statuses);
  const account = query["account.id"];
  const wanted = query["type"]?.split(",");
  const unknown = wanted?.find((type) => !types.includes(type));
  if (unknown !== undefined) throw invalidParameter("type", unknown, types.join(", "));
  return [
    ...(status === undefined ? [] : [(zone: Json) => zone["status"] === status]),
    ...(account === undefined ? [] : [(zone: Json) => textAt(zone, "account.id") === account]),
    ...(wanted === undefined ? [] : [(zone: Json) => wanted.includes(textAt(zone, "type"))]),
  ];
}
