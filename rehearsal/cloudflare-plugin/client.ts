/** Client of the Cloudflare API: one call at a time, with retries where they can help. */
import { setTimeout as sleep } from "node:timers/promises";
import { isRecord } from "../../common/record.ts";
import { StatusError } from "../status-error.ts";
import type { Values } from "./values.ts";

export interface Request {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the base URL, with a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Values;
}

/** The API refused a call. */
export class CallError extends StatusError {
  override readonly name = "CallError";
}

export interface ClientOptions {
  readonly baseUrl: string;
  readonly token: string;
  /** Retries after a failed first call. @default 10, as the official client */
  readonly retries?: number;
  /** Milliseconds before the first retry, doubled for each further one. @default 50; the official 2 s only slow down an emulator */
  readonly delay?: number;
  /** Maximum delay in milliseconds. @default 1000 */
  readonly longestDelay?: number;
  /** Timeout of one attempt in milliseconds. @default 60000 */
  readonly timeout?: number;
}

/**
 * Why a base URL is refused; undefined when it is accepted.
 *
 * This plugin is complete enough for the emulator only; real zones must be managed by the official plugin.
 */
export function refusal(baseUrl: string): string | undefined {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : undefined;
  if (host !== undefined && (/^127(\.\d+){3}$/.test(host) || host === "[::1]" || host === "localhost"))
    return undefined;
  return (
    `${baseUrl === "" ? "no base URL is set" : `${baseUrl} is not an address of this machine`}: this plugin replaces ` +
    "the official one on the rehearsal cloud only. Set cloudflare:baseUrl (or CLOUDFLARE_BASE_URL) to the rehearsal cloud's " +
    "address, such as http://127.0.0.1:8470/client/v4, or install the official plugin."
  );
}

export class Client {
  readonly #options: Required<ClientOptions>;

  /** @throws {Error} when the base URL is not on this machine */
  constructor(options: ClientOptions) {
    const refused = refusal(options.baseUrl);
    if (refused !== undefined) throw new Error(refused);
    this.#options = { retries: 10, delay: 50, longestDelay: 1_000, timeout: 60_000, ...options };
  }

  /**
   * Makes a call and returns its result.
   *
   * @throws {CallError} with the API's messages
   */
  async call(request: Request): Promise<unknown> {
    for (let tries = 0; ; tries += 1) {
      const outcome = await this.#attempt(request);
      if (!(outcome instanceof Failed)) return outcome.result;
      if (!outcome.mayHelp || tries >= this.#options.retries) throw outcome.error;
      const { delay, longestDelay } = this.#options;
      await sleep(Math.min(outcome.wait ?? delay * 2 ** tries, longestDelay));
    }
  }

  /** Reads all items of a list: page by page until a page is empty. */
  async list(request: Request): Promise<unknown[]> {
    const all: unknown[] = [];
    for (let page = 1; ; page += 1) {
      const items = await this.call({ ...request, query: { ...request.query, page: String(page) } });
      if (!Array.isArray(items) || items.length === 0) return all;
      all.push(...(items as unknown[]));
    }
  }

  async #attempt({
    method,
    path,
    query = {},
    headers = {},
    body,
  }: Request): Promise<Failed | { readonly result: unknown }> {
    const { baseUrl, token, timeout } = this.#options;
    const search = new URLSearchParams(query).toString();
    const what = `${method} ${path}`;
    let response: Response;
    try {
      response = await fetch(`${baseUrl.replace(/\/$/, "")}${path}${search === "" ? "" : `?${search}`}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          "user-agent": "orion-cloudflare",
          ...headers,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeout),
      });
      return judge(what, response, await response.text());
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      return new Failed(new CallError(0, `${what}: ${baseUrl} does not answer: ${cause}`), true, undefined);
    }
  }
}

class Failed {
  readonly error: CallError;
  readonly mayHelp: boolean;
  readonly wait: number | undefined;

  constructor(error: CallError, mayHelp: boolean, wait: number | undefined) {
    this.error = error;
    this.mayHelp = mayHelp;
    this.wait = wait;
  }
}

function judge(what: string, response: Response, text: string): Failed | { readonly result: unknown } {
  const { status, headers } = response;
  if (status === 204) return { result: null };
  const envelope = parse(text);
  if (response.ok && envelope?.["success"] === true) return { result: envelope["result"] };
  const errors = Array.isArray(envelope?.["errors"]) ? (envelope["errors"] as unknown[]) : [];
  const said = errors
    .filter(isRecord)
    .map(({ code, message }) => `${String(message)} (code ${String(code)})`)
    .join("; ");
  const error = new CallError(status, `${what}: HTTP ${status}: ${said === "" ? text.slice(0, 300) : said}`);
  const wait = headers.get("retry-after");
  const seconds = wait === null ? NaN : Number(wait);
  const mayHelp =
    headers.get("x-should-retry") !== "false" && (status === 408 || status === 409 || status === 429 || status >= 500);
  return new Failed(error, mayHelp, Number.isFinite(seconds) ? seconds * 1000 : undefined);
}

function parse(text: string): Values | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
