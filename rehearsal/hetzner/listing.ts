/** Lists of the API: their parameters, filtering by name and labels, sorting, pages. */
import { HetznerError, invalid, notEmulated } from "./errors.ts";
import type { Labels } from "./state.ts";

export type Query = Readonly<Record<string, unknown>>;

const defaultPerPage = 25;
const mostPerPage = 50;

/** Query parameters of a call, each with the values that it can have; undefined: any. */
export type Honoured = Readonly<Record<string, readonly string[] | undefined>>;

/** Values of `sort` for these keys. */
export const orders = (...keys: readonly string[]): string[] =>
  keys.flatMap((key) => [key, `${key}:asc`, `${key}:desc`]);
const ofActions = orders("id", "command", "status", "started", "finished");
const actionStates = ["running", "success", "error"];
export const pages: Honoured = { page: undefined, per_page: undefined };
export const actionParameters: Honoured = { ...pages, sort: ofActions, status: actionStates };
/** What a boolean can be, as Hetzner's servers read it. */
export const booleans = ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"];
export const isTrue = (query: Query, key: string): boolean =>
  textsOf(query, key).some((text) => booleans.slice(0, 6).includes(text));

/** Parameters that filter by one value; the others can be given several times. */
const once = new Set(["page", "per_page", "label_selector", "fingerprint", "include_deprecated"]);

/** @throws {HetznerError} when a parameter is not honoured, or its value is not one of those that it can have */
export function requireHonoured(query: Query, known: Honoured): void {
  for (const key of Object.keys(query)) {
    if (!Object.hasOwn(known, key)) throw notEmulated(`the query parameter '${key}' of this call`);
    const values = textsOf(query, key);
    if (once.has(key) && values.length > 1) throw invalid(key, "can be given once only");
    const allowed = known[key];
    const wrong = allowed && values.find((value) => !allowed.includes(value));
    if (wrong !== undefined) throw invalid(key, `must be one of ${allowed?.join(", ")}; got '${wrong}'`);
  }
}

export const textsOf = (query: Query, key: string): string[] => {
  const value = query[key];
  return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
};

/** The rows of the requested page, and the pagination data. */
export function paged<Row>(rows: readonly Row[], query: Query): { rows: Row[]; meta: unknown } {
  const number = (key: string, otherwise: number): number => {
    const [text] = textsOf(query, key);
    const value = text === undefined ? otherwise : Number(text);
    if (!Number.isInteger(value) || value < 1) throw invalid(key, `must be a whole number of 1 or more, got ${text}`);
    return value;
  };
  const perPage = Math.min(number("per_page", defaultPerPage), mostPerPage);
  const page = number("page", 1);
  const last = Math.max(1, Math.ceil(rows.length / perPage));
  return {
    rows: rows.slice((page - 1) * perPage, page * perPage),
    meta: {
      pagination: {
        page,
        per_page: perPage,
        previous_page: page > 1 ? page - 1 : null,
        next_page: page < last ? page + 1 : null,
        last_page: last,
        total_entries: rows.length,
      },
    },
  };
}

/** The rows with the requested name and labels, in the requested order. */
export function filtered<Row extends { readonly id: number; readonly name?: string; readonly labels?: Labels }>(
  rows: readonly Row[],
  query: Query,
): Row[] {
  const names = textsOf(query, "name");
  const [selector] = textsOf(query, "label_selector");
  const matches = selector === undefined ? () => true : labelSelector(selector);
  const found = rows.filter(
    (row) => (names.length === 0 || (row.name !== undefined && names.includes(row.name))) && matches(row.labels ?? {}),
  );
  return sorted(found, textsOf(query, "sort"));
}

function sorted<Row extends { readonly id: number }>(rows: Row[], wanted: readonly string[]): Row[] {
  const keys = wanted.map((order) => {
    const [key = "", direction] = order.split(":");
    return { key, sign: direction === "desc" ? -1 : 1 };
  });
  const valueOf = (row: Row, key: string): string | number => {
    const value = (row as Record<string, unknown>)[key];
    return typeof value === "number" ? value : String(value);
  };
  return rows.sort((a, b) => {
    for (const { key, sign } of keys) {
      const [left, right] = [valueOf(a, key), valueOf(b, key)];
      if (left !== right) return left < right ? -sign : sign;
    }
    return 0;
  });
}

/**
 * Compiles a label selector: `k`, `!k`, `k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, joined by commas.
 *
 * @throws {HetznerError} when its syntax is invalid
 */
export function labelSelector(text: string): (labels: Labels) => boolean {
  const parts = text.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  const tests = parts.map((part) => {
    const term = part.trim();
    const set = /^([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term);
    if (set) {
      const [, key = "", operator, list = ""] = set;
      const values = list.split(",").map((value) => value.trim());
      const inside = (labels: Labels) => labels[key] !== undefined && values.includes(labels[key]);
      return operator === "in" ? inside : (labels: Labels) => !inside(labels);
    }
    const pair = /^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$/.exec(term);
    if (pair) {
      const [, key = "", operator, value = ""] = pair;
      return operator === "!=" ? (labels: Labels) => labels[key] !== value : (labels: Labels) => labels[key] === value;
    }
    const single = /^(!?)([\w./-]+)$/.exec(term);
    if (!single) throw new HetznerError(400, "invalid_input", `label selector '${text}' is not valid`);
    const [, not, key = ""] = single;
    return (labels: Labels) => (labels[key] === undefined) === (not === "!");
  });
  return (labels) => tests.every((test) => test(labels));
}
