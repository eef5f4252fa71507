/** Converts properties to the API's JSON and back, and merges answers into the state. Pure. */
import { isRecord } from "../../common/record.ts";
import { isList, isMap, isObject, type Properties, type Shape, type Spelling, wireName } from "./shapes.ts";
import { isAbsent, isSame, type Values } from "./values.ts";

/** Converts properties to the API's JSON, without absent ones. */
export function encode(properties: Properties, values: Values, spelling: Spelling): Values {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, { type }]) => {
      const value = values[name];
      return isAbsent(value) ? [] : [[wireName(name, spelling), encodeValue(name, type, value, spelling)]];
    }),
  );
}

function encodeValue(name: string, shape: Shape, value: unknown, spelling: Spelling): unknown {
  if (spelling.json?.includes(name) === true && typeof value === "string") return JSON.parse(value) as unknown;
  if (isList(shape) && Array.isArray(value)) {
    return value.map((item: unknown) => encodeValue("", shape.list, item, spelling));
  }
  if (isMap(shape) && isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, encodeValue("", shape.map, item, spelling)]),
    );
  }
  if (isObject(shape) && isRecord(value)) return encode(shape.object, value, spelling);
  return value;
}

/** Converts the API's JSON to properties, without absent ones. */
export function decode(properties: Properties, wire: Values, spelling: Spelling): Values {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, { type }]) => {
      const value = wire[wireName(name, spelling)];
      return isAbsent(value) ? [] : [[name, decodeValue(name, type, value, spelling)]];
    }),
  );
}

function decodeValue(name: string, shape: Shape, value: unknown, spelling: Spelling): unknown {
  if (spelling.json?.includes(name) === true) return JSON.stringify(value);
  if (isList(shape) && Array.isArray(value)) {
    return value.map((item: unknown) => decodeValue("", shape.list, item, spelling));
  }
  if (isMap(shape) && isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, decodeValue("", shape.map, item, spelling)]),
    );
  }
  if (isObject(shape) && isRecord(value)) return decode(shape.object, value, spelling);
  return value;
}

/**
 * The state after a write: values that the program set stay as they were set; the API's values fill in those it decides.
 *
 * @param decides whether the API chooses the value at a dotted path when the program sets none
 */
export function merge(
  properties: Properties,
  set: Values,
  answered: Values,
  decides: (path: string) => boolean,
  path = "",
): Values {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, { type }]) => {
      const at = path === "" ? name : `${path}.${name}`;
      const [mine, theirs] = [set[name], answered[name]];
      if (isAbsent(mine)) return isAbsent(theirs) || !decides(at) ? [] : [[name, theirs]];
      return [[name, mergeValue(type, mine, theirs, decides, at)]];
    }),
  );
}

function mergeValue(
  shape: Shape,
  mine: unknown,
  theirs: unknown,
  decides: (path: string) => boolean,
  path: string,
): unknown {
  if (isList(shape) && Array.isArray(mine) && Array.isArray(theirs)) {
    return mine.map((item: unknown, index) => mergeValue(shape.list, item, theirs[index], decides, path));
  }
  if (isObject(shape) && isRecord(mine) && isRecord(theirs)) return merge(shape.object, mine, theirs, decides, path);
  return mine;
}

/** Properties whose value can be written in several equivalent ways. */
export interface Loose {
  readonly json: readonly string[];
  readonly caseless: readonly string[];
}

/** Keeps the previous spelling of a string that has not changed in meaning. */
export function keepSpelling(value: unknown, before: unknown, name: string, loose: Loose): unknown {
  if (typeof value === "string" && typeof before === "string") {
    const isEquivalent =
      (loose.json.includes(name) && isSameJson(value, before)) ||
      (loose.caseless.includes(name) && value.toLowerCase() === before.toLowerCase());
    return isEquivalent ? before : value;
  }
  if (Array.isArray(value) && Array.isArray(before)) {
    return value.map((item: unknown, index) => keepSpelling(item, before[index], name, loose));
  }
  if (isRecord(value) && isRecord(before)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, keepSpelling(item, before[key], key, loose)]),
    );
  }
  return value;
}

function isSameJson(a: string, b: string): boolean {
  try {
    return isSame(JSON.parse(a), JSON.parse(b));
  } catch {
    return false;
  }
}

/** The inputs for a refreshed state: the previous inputs with their current values, without properties that were never set. */
export function projectInputs(before: unknown, state: unknown): unknown {
  if (isRecord(before) && isRecord(state)) {
    return Object.fromEntries(
      Object.keys(before).flatMap((key) =>
        isAbsent(state[key]) ? [] : [[key, projectInputs(before[key], state[key])]],
      ),
    );
  }
  if (Array.isArray(before) && Array.isArray(state)) {
    return state.map((item: unknown, index) => (index < before.length ? projectInputs(before[index], item) : item));
  }
  return state;
}
