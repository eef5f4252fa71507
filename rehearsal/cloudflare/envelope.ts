/** The response envelope of the Cloudflare API: success, errors, and pages of lists. */

export interface Message {
  readonly code: number;
  readonly message: string;
  readonly source?: { readonly pointer: string };
}

/** Where in a list that is read with cursors a page is. */
export interface CursorInfo {
  readonly per_page: number;
  /** Where the next page begins; undefined: there is none. */
  readonly cursor?: string;
}

export interface PageInfo {
  readonly page: number;
  readonly per_page: number;
  readonly count: number;
  readonly total_count: number;
  readonly total_pages: number;
}

export interface Envelope {
  readonly success: boolean;
  readonly errors: readonly Message[];
  readonly messages: readonly Message[];
  readonly result: unknown;
  readonly result_info?: PageInfo | CursorInfo;
}

export const success = (result: unknown, info?: PageInfo | CursorInfo): Envelope => ({
  success: true,
  errors: [],
  messages: [],
  result,
  ...(info !== undefined && { result_info: info }),
});

export const failure = (...errors: readonly Message[]): Envelope => ({
  success: false,
  errors,
  messages: [],
  result: null,
});

/** An error response: HTTP status, Cloudflare's code and, for a field of the body, its JSON pointer. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: number;
  readonly pointer: string | undefined;

  constructor(status: number, code: number, message: string, pointer?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.pointer = pointer;
  }

  get envelope(): Envelope {
    const source = this.pointer === undefined ? {} : { source: { pointer: this.pointer } };
    return failure({ code: this.code, message: this.message, ...source });
  }
}

/** The error of what exists at Cloudflare, but not here. @param what named in the message */
export const notEmulated = (what: string): ApiError => new ApiError(501, 7501, `${what} is not emulated`);

/** The error of a query parameter that has a wrong value. */
export const invalidParameter = (name: string, got: string, expected: string): ApiError =>
  new ApiError(
    400,
    1004,
    `${JSON.stringify(got)} is not a valid value for the parameter ${name}: expected ${expected}`,
  );

/** Part of a list; a handler returns it instead of a plain result. */
export class Listing {
  readonly result: unknown;
  readonly info: PageInfo | CursorInfo;

  constructor(result: unknown, info: PageInfo | CursorInfo) {
    this.result = result;
    this.info = info;
  }
}

/** One page of a list with numbered pages. */
export class Page extends Listing {
  /**
   * @param query `page` (from 1) and `per_page`; a page after the last one is empty, by which clients detect the end
   * @param limits default and maximum size of a page
   * @throws {ApiError} for what is no number of a page or of its items
   */
  constructor(all: readonly unknown[], query: Readonly<Record<string, string>>, limits = { usual: 20, most: 100 }) {
    const page = wholeNumber(query, "page", 1);
    const size = pageSize(query, limits);
    const items = all.slice((page - 1) * size, page * size);
    super(items, {
      page,
      per_page: size,
      count: items.length,
      total_count: all.length,
      total_pages: Math.ceil(all.length / size),
    });
  }
}

/** The size of a page: never more than the maximum, as in the real API, which does not refuse more. */
export const pageSize = (
  query: Readonly<Record<string, string>>,
  { usual, most }: { readonly usual: number; readonly most: number },
): number => Math.min(wholeNumber(query, "per_page", usual), most);

function wholeNumber(query: Readonly<Record<string, string>>, name: string, usual: number): number {
  const text = query[name];
  if (text === undefined) return usual;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < 1) throw invalidParameter(name, text, "a whole number from 1");
  return value;
}

/** The value of a parameter that has a fixed list of them; undefined: not given. */
export function parameterOf<T extends string>(
  query: Readonly<Record<string, string>>,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const got = query[name];
  const value = allowed.find((each) => each === got);
  if (got !== undefined && value === undefined) throw invalidParameter(name, got, allowed.join(", "));
  return value;
}

/** In the direction that a call asks for. */
export const directed = <T>(ascending: readonly T[], query: Readonly<Record<string, string>>): readonly T[] =>
  parameterOf(query, "direction", ["asc", "desc"]) === "desc" ? [...ascending].reverse() : ascending;
