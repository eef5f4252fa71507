/** The response envelope of the Cloudflare API: success, errors, and pages of lists. */

export interface Message {
  readonly code: number;
  readonly message: string;
  readonly source?: { readonly pointer: string };
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
  readonly result_info?: PageInfo;
}

export const success = (result: unknown, info?: PageInfo): Envelope => ({
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

/** One page of a list; a handler returns it instead of a plain result. */
export class Page {
  readonly items: readonly unknown[];
  readonly info: PageInfo;

  /**
   * @param query `page` (from 1) and `per_page`; a page after the last one is empty, by which clients detect the end
   * @param limits default and maximum size of a page
   */
  constructor(all: readonly unknown[], query: Readonly<Record<string, string>>, limits = { usual: 20, most: 100 }) {
    const page = wholeNumber(query["page"], 1, Number.MAX_SAFE_INTEGER) ?? 1;
    const size = wholeNumber(query["per_page"], 1, limits.most) ?? limits.usual;
    this.items = all.slice((page - 1) * size, page * size);
    this.info = {
      page,
      per_page: size,
      count: this.items.length,
      total_count: all.length,
      total_pages: Math.ceil(all.length / size),
    };
  }
}

function wholeNumber(text: string | undefined, least: number, most: number): number | undefined {
  const value = Number(text ?? NaN);
  return Number.isInteger(value) && value >= least ? Math.min(value, most) : undefined;
}
