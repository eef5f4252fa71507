/** The edge's cache: which responses are cached, under which key, and for how long. */
import { isRecord } from "../../../common/record.ts";
import type { Json } from "../../json.ts";
import { texts } from "../body.ts";
import type { Request } from "../expression.ts";

export interface CachedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
  readonly stored: number;
  readonly expires: number;
}

/** File types that are cached without a rule. */
const staticFile =
  /\.(?:7z|avif|bmp|bz2|css|csv|docx?|eot|gif|gz|ico|jpe?g|js|mp[34]|ogg|otf|pdf|png|svg|tar|ttf|webm|webp|woff2?|xlsx?|zip)$/i;
const maxBodyBytes = 16 * 2 ** 20;
const capacityBytes = 128 * 2 ** 20;

export class Cache {
  readonly #responses = new Map<string, CachedResponse>();
  #size = 0;

  get(key: string, now: number): CachedResponse | undefined {
    const found = this.#responses.get(key);
    return found !== undefined && found.expires > now ? found : undefined;
  }

  put(key: string, kept: CachedResponse): void {
    if (kept.body.length > maxBodyBytes) return;
    this.#remove(key);
    this.#responses.set(key, kept);
    this.#size += kept.body.length;
    for (const [oldest] of this.#responses) {
      if (this.#size <= capacityBytes) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#size -= this.#responses.get(key)?.body.length ?? 0;
    this.#responses.delete(key);
  }
}

/** Whether the cache may answer or store a request. */
export function isEligible(request: Request, settings: Json): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  if (settings["cache"] === false) return false;
  return settings["cache"] === true || staticFile.test(request.path);
}

export function cacheKeyOf({ host, path, query }: Request, settings: Json): string {
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

/** Seconds to cache a response; 0: not at all. */
export function cacheSeconds(
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
