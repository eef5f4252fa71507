/** The edge's cache: what may be kept, for how long, and what was. */
import { isRecord, type Json } from "../../json.ts";
import { texts } from "../body.ts";
import type { Request } from "../expression.ts";

export interface Kept {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
  readonly stored: number;
  readonly expires: number;
}

/** Kept without a rule, when the origin says for how long. */
const staticFile =
  /\.(?:7z|avif|bmp|bz2|css|csv|docx?|eot|gif|gz|ico|jpe?g|js|mp[34]|ogg|otf|pdf|png|svg|tar|ttf|webm|webp|woff2?|xlsx?|zip)$/i;
const largest = 16 * 2 ** 20;
const room = 128 * 2 ** 20;

export class Cache {
  readonly #kept = new Map<string, Kept>();
  #size = 0;

  get(key: string, now: number): Kept | undefined {
    const found = this.#kept.get(key);
    return found !== undefined && found.expires > now ? found : undefined;
  }

  put(key: string, kept: Kept): void {
    if (kept.body.length > largest) return;
    this.#remove(key);
    this.#kept.set(key, kept);
    this.#size += kept.body.length;
    for (const [oldest] of this.#kept) {
      if (this.#size <= room) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#size -= this.#kept.get(key)?.body.length ?? 0;
    this.#kept.delete(key);
  }
}

/** Whether the cache is asked at all. */
export function isEligible(request: Request, settings: Json): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  if (settings["cache"] === false) return false;
  return settings["cache"] === true || staticFile.test(request.path);
}

export function keyOf({ host, path, query }: Request, settings: Json): string {
  const custom = isRecord(settings["cache_key"]) ? settings["cache_key"]["custom_key"] : undefined;
  const rule = isRecord(custom) ? custom["query_string"] : undefined;
  const params = new URLSearchParams(query);
  const names = (part: unknown): string[] | undefined =>
    isRecord(part) ? (part["all"] === true ? [...params.keys()] : texts(part["list"])) : undefined;
  const [include, exclude] = isRecord(rule) ? [names(rule["include"]), names(rule["exclude"])] : [];
  const counted = [...params].filter(
    ([name]) => (include === undefined || include.includes(name)) && exclude?.includes(name) !== true,
  );
  return `${host}${path}?${new URLSearchParams(counted).toString()}`;
}

/** Seconds that an answer is kept; 0: not at all. */
export function lifetime(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  settings: Json,
): number {
  const ttl = isRecord(settings["edge_ttl"]) ? settings["edge_ttl"] : {};
  const byStatus = (Array.isArray(ttl["status_code_ttl"]) ? (ttl["status_code_ttl"] as unknown[]) : [])
    .filter(isRecord)
    .find((each) => {
      const range = isRecord(each["status_code_range"])
        ? each["status_code_range"]
        : { from: each["status_code"], to: each["status_code"] };
      return status >= Number(range["from"] ?? 0) && status <= Number(range["to"] ?? 599);
    });
  if (byStatus !== undefined) return Math.max(0, Number(byStatus["value"]));
  if (![200, 203, 204, 206, 301, 302, 404, 410].includes(status)) return 0;
  if (ttl["mode"] === "override_origin") return Number(ttl["default"] ?? 0);
  if (headers["set-cookie"] !== undefined) return 0;
  const control = String(headers["cache-control"] ?? "");
  if (/no-store|no-cache|private/.test(control)) return 0;
  const [, seconds] = /s-maxage=(\d+)/.exec(control) ?? /max-age=(\d+)/.exec(control) ?? [];
  if (seconds !== undefined) return Number(seconds);
  return ttl["mode"] === "bypass_by_default" || control !== "" || status !== 200 ? 0 : 7200;
}
