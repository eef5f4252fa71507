/** Filters, order and pages of the list of R2 buckets, which is read with cursors. Pure. */
import { type CursorInfo, directed, invalidParameter, pageSize, parameterOf } from "./envelope.ts";

type Query = Readonly<Record<string, string>>;

export const bucketParameters = ["name_contains", "start_after", "per_page", "order", "direction", "cursor"];

/** A cursor is the name of the last bucket before it. */
const cursorAfter = (name: string): string => Buffer.from(JSON.stringify({ after: name })).toString("base64url");

function nameIn(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString();
  const [, name] = /^\{"after":"([a-z0-9-]+)"\}$/.exec(text) ?? [];
  if (name === undefined) throw invalidParameter("cursor", cursor, "the cursor of the page before");
  return name;
}

/**
 * The buckets of a page, in the order of their names.
 *
 * @throws {ApiError} for a value that a parameter cannot have
 */
export function selectBuckets<Bucket extends { readonly name: string }>(
  all: readonly Bucket[],
  query: Query,
): { readonly buckets: readonly Bucket[]; readonly info: CursorInfo } {
  parameterOf(query, "order", ["name"]);
  const { name_contains: part = "", start_after: start = "", cursor } = query;
  const sorted = directed(
    [...all].sort((a, b) => (a.name < b.name ? -1 : 1)),
    query,
  );
  const isDown = query["direction"] === "desc";
  const isAfter = (name: string, before: string): boolean => (isDown ? name < before : name > before);
  const last = cursor === undefined ? undefined : nameIn(cursor);
  const found = sorted.filter(
    ({ name }) =>
      name.includes(part) && (start === "" || isAfter(name, start)) && (last === undefined || isAfter(name, last)),
  );
  const size = pageSize(query, { usual: 20, most: 1000 });
  const buckets = found.slice(0, size);
  const end = buckets.at(-1);
  const hasMore = end !== undefined && found.length > size;
  return { buckets, info: { per_page: size, ...(hasMore && { cursor: cursorAfter(end.name) }) } };
}
