/** Validates inputs and computes what an update would change or a preview shows. Pure. */
import { isRecord } from "../../common/record.ts";
import { isList, isMap, isObject, type Properties, type Property, type Shape } from "./shapes.ts";
import type { Resource } from "./resources.ts";
import { hasUnknown, isAbsent, isSame, unknown, type Values } from "./values.ts";

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** Checks inputs against the SDK's types, without asking the API. */
export function validate(properties: Properties, values: Values, path = ""): Failure[] {
  const surplus = Object.keys(values)
    .filter((name) => !Object.hasOwn(properties, name))
    .map((name) => ({
      property: path + name,
      reason: `unknown property; expected one of ${Object.keys(properties).join(", ")}`,
    }));
  const wrong = Object.entries(properties).flatMap(([name, property]) =>
    validateOne(path + name, property, values[name]),
  );
  return [...surplus, ...wrong];
}

function validateOne(path: string, { type, optional }: Property, value: unknown): Failure[] {
  if (isAbsent(value)) return optional === true ? [] : [{ property: path, reason: "it is required" }];
  if (value === unknown || type === "any") return [];
  if (isList(type)) {
    if (!Array.isArray(value)) return [wrongKind(path, value, "a list")];
    return value.flatMap((item: unknown, index) => validateOne(`${path}[${index}]`, { type: type.list }, item));
  }
  if (isMap(type)) {
    if (!isRecord(value)) return [wrongKind(path, value, "an object")];
    return Object.entries(value).flatMap(([key, item]) => validateOne(`${path}.${key}`, { type: type.map }, item));
  }
  if (isObject(type))
    return isRecord(value) ? validate(type.object, value, `${path}.`) : [wrongKind(path, value, "an object")];
  return typeof value === type ? [] : [wrongKind(path, value, `a ${type}`)];
}

const wrongKind = (property: string, value: unknown, expected: string): Failure => ({
  property,
  reason: `expected ${expected}, got ${Array.isArray(value) ? "a list" : typeof value}`,
});

/** Fills in the resource's defaults for properties that are not set; unknown values stay unknown. */
export function withDefaults(properties: Properties, values: Values, defaults: Values, path = ""): Values {
  const entries = Object.entries(properties).flatMap(([name, { type }]): [string, unknown][] => {
    const at = path === "" ? name : `${path}.${name}`;
    const value = values[name];
    if (!isAbsent(value)) return [[name, defaultsWithin(type, value, defaults, at)]];
    return Object.hasOwn(defaults, at) ? [[name, defaults[at]]] : [];
  });
  return Object.fromEntries(entries);
}

function defaultsWithin(shape: Shape, value: unknown, defaults: Values, path: string): unknown {
  if (isList(shape) && Array.isArray(value)) {
    return value.map((item: unknown) => defaultsWithin(shape.list, item, defaults, path));
  }
  return isObject(shape) && isRecord(value) ? withDefaults(shape.object, value, defaults, path) : value;
}

export interface Change {
  /** `rules[0].expression` */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  readonly replaces: boolean;
}

/**
 * Every property that an update would change, and whether the change replaces the resource.
 *
 * @param decided paths of the inputs whose value the API chooses when the program sets none
 */
export function changes(
  resource: Resource,
  properties: Properties,
  decided: ReadonlySet<string>,
  news: Values,
  state: Values,
): Change[] {
  const { defaults = {}, caseless = [], replaces } = resource;
  const wanted = withDefaults(properties, news, defaults);
  const same = (path: string) => caseless.includes(path) && isSame(lower(wanted[path]), lower(state[path]));
  const all = compare(properties, wanted, state, "", "", (path) => decided.has(path));
  return all
    .filter(({ path }) => !same(path))
    .map(({ path, kind }) => ({
      path,
      kind,
      replaces: replaces.includes(path.split(/[.[]/)[0] ?? ""),
    }));
}

const lower = (value: unknown): unknown => (typeof value === "string" ? value.toLowerCase() : value);

type Difference = Omit<Change, "replaces">;
type Decides = (path: string) => boolean;

function compare(
  properties: Properties,
  wanted: Values,
  state: Values,
  shown: string,
  plain: string,
  decides: Decides,
): Difference[] {
  return Object.entries(properties).flatMap(([name, { type }]) => {
    const at = plain === "" ? name : `${plain}.${name}`;
    const path = shown === "" ? name : `${shown}.${name}`;
    return compareValue(type, wanted[name], state[name], path, at, decides);
  });
}

function compareValue(
  shape: Shape,
  wanted: unknown,
  state: unknown,
  shown: string,
  plain: string,
  decides: Decides,
): Difference[] {
  if (isAbsent(wanted)) return isAbsent(state) || decides(plain) ? [] : [{ path: shown, kind: "delete" }];
  if (isAbsent(state)) return [{ path: shown, kind: "add" }];
  if (isList(shape) && Array.isArray(wanted) && Array.isArray(state)) {
    const length = Math.max(wanted.length, state.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) => {
      const path = `${shown}[${index}]`;
      if (index >= wanted.length) return [{ path, kind: "delete" as const }];
      return compareValue(shape.list, wanted[index], state[index], path, plain, decides);
    });
  }
  if (isObject(shape) && isRecord(wanted) && isRecord(state)) {
    return compare(shape.object, wanted, state, shown, plain, decides);
  }
  return isSame(wanted, state) ? [] : [{ path: shown, kind: "update" }];
}

/** The state that a preview shows: values that are set, and "unknown" for values that the API will choose. */
export function previewState(
  resource: Resource,
  inputs: Properties,
  outputs: Properties,
  decided: ReadonlySet<string>,
  news: Values,
  state: Values | undefined,
): Values {
  const wanted = withDefaults(inputs, news, resource.defaults ?? {});
  return Object.fromEntries(
    Object.keys(outputs).flatMap((name) => {
      const value = wanted[name];
      if (!isAbsent(value)) return [[name, previewValue(outputs[name]?.type ?? "any", value)]];
      if (!Object.hasOwn(inputs, name) || decided.has(name))
        return [[name, stable.has(name) && state ? state[name] : unknown]];
      return [];
    }),
  );
}

/** Outputs that never change after the creation. */
const stable = new Set(["createdOn", "creationDate", "issuedOn", "zoneName", "certificateId"]);

/** The API adds properties to objects in lists, such as the ids of rules. */
const previewValue = (shape: Shape, value: unknown): unknown =>
  isList(shape) && isObject(shape.list) && hasUnknown(value) ? unknown : value;
