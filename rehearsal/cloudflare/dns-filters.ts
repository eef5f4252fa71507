/** Filters and order of the list of a zone's DNS records. Pure. */
import type { Json } from "../json.ts";
import { texts } from "./body.ts";
import { recordTypes } from "./dns-content.ts";
import { directed, invalidParameter, parameterOf } from "./envelope.ts";

type Query = Readonly<Record<string, string>>;
type Test = (record: Json) => boolean;

/** How a filter's value is compared with a text; both are in small letters. */
const comparisons: Readonly<Record<string, (text: string, wanted: string) => boolean>> = {
  exact: (text, wanted) => text === wanted,
  contains: (text, wanted) => text.includes(wanted),
  startswith: (text, wanted) => text.startsWith(wanted),
  endswith: (text, wanted) => text.endsWith(wanted),
};
const compared = Object.keys(comparisons);
const orders = ["type", "name", "content", "ttl", "proxied"] as const;

/** The parameters of the list, but for the pages. */
export const recordParameters: readonly string[] = [
  ...["name", "content", "comment", "tag"].flatMap((field) => [field, ...compared.map((each) => `${field}.${each}`)]),
  ...["comment", "tag"].flatMap((field) => [`${field}.present`, `${field}.absent`]),
  ...["type", "proxied", "match", "tag_match", "search", "order", "direction"],
];

/**
 * The records that a call asks for, in its order.
 *
 * @throws {ApiError} for a value that a parameter cannot have
 */
export function selectRecords(records: readonly Json[], query: Query): Json[] {
  const tags = tagTests(query);
  const tests = [
    ...["name", "content", "comment"].flatMap((field) => textTests(field, query)),
    ...exactTests(query),
    ...(tags.length === 0 ? [] : [joined(tags, parameterOf(query, "tag_match", ["all", "any"]))]),
  ];
  const isWanted = joined(tests, parameterOf(query, "match", ["all", "any"]));
  const found = records.filter((record) => isWanted(record) && isFound(record, query["search"]));
  const field = parameterOf(query, "order", orders) ?? "type";
  return [...directed([...found].sort(byField(field)), query)];
}

const joined = (tests: readonly Test[], how: "all" | "any" = "all"): Test =>
  how === "all" || tests.length === 0
    ? (record) => tests.every((test) => test(record))
    : (record) => tests.some((test) => test(record));

const small = (value: unknown): string => (typeof value === "string" ? value.toLowerCase() : "");

function textTests(field: string, query: Query): Test[] {
  const wanted = Object.entries({ "": "exact", ...Object.fromEntries(compared.map((each) => [`.${each}`, each])) });
  const comparing = wanted.flatMap(([suffix, how]): Test[] => {
    const value = query[`${field}${suffix}`];
    const compare = comparisons[how];
    return value === undefined || !compare ? [] : [(record) => compare(small(record[field]), value.toLowerCase())];
  });
  const has: Test = (record) => small(record[field]) !== "";
  return [
    ...comparing,
    ...(query[`${field}.present`] === undefined ? [] : [has]),
    ...(query[`${field}.absent`] === undefined ? [] : [(record: Json) => !has(record)]),
  ];
}

function exactTests(query: Query): Test[] {
  const { type, proxied } = query;
  if (type !== undefined && !recordTypes.includes(type.toUpperCase()))
    throw invalidParameter("type", type, recordTypes.join(", "));
  parameterOf(query, "proxied", ["true", "false"]);
  return [
    ...(type === undefined ? [] : [(record: Json) => record["type"] === type.toUpperCase()]),
    ...(proxied === undefined ? [] : [(record: Json) => String(record["proxied"]) === proxied]),
  ];
}

/** Filters by tags, which are texts `<name>:<value>`; the values of the filters as well, but for `present` and `absent`. */
function tagTests(query: Query): Test[] {
  const halves = (tag: string): readonly [name: string, value: string] => {
    const at = tag.indexOf(":");
    return at < 0 ? [tag.toLowerCase(), ""] : [tag.slice(0, at).toLowerCase(), tag.slice(at + 1).toLowerCase()];
  };
  const has = (record: Json, test: (name: string, value: string) => boolean): boolean =>
    texts(record["tags"]).some((tag) => test(...halves(tag)));
  const named =
    (wanted: string): Test =>
    (record) =>
      has(record, (name) => name === wanted.toLowerCase());
  return Object.entries(query).flatMap(([parameter, wanted]): Test[] => {
    const [field, how = "exact"] = parameter.split(".");
    if (field !== "tag") return [];
    if (how === "present") return [named(wanted)];
    if (how === "absent") return [(record) => !named(wanted)(record)];
    const [wantedName, wantedValue] = halves(wanted);
    const compare = comparisons[how];
    return compare
      ? [(record) => has(record, (name, value) => name === wantedName && compare(value, wantedValue))]
      : [];
  });
}

/** Cloudflare leaves open what exactly it searches; here, a part of any text that people see. */
function isFound(record: Json, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  const seen = [record["name"], record["type"], record["content"], record["comment"], ...texts(record["tags"])];
  return seen.some((text) => small(text).includes(wanted.toLowerCase()));
}

const byField =
  (field: (typeof orders)[number]) =>
  (a: Json, b: Json): number => {
    const [left, right] = [a[field], b[field]];
    if (typeof left === "string" && typeof right === "string") return left < right ? -1 : left > right ? 1 : 0;
    return Number(left) - Number(right);
  };
