/** Evaluates a zone's firewall, rate limit and cache rules for a request at the edge. */
import { isRecord } from "../../../common/record.ts";
import type { Json } from "../../json.ts";
import { isText, records, texts } from "../body.ts";
import { compile, type Predicate, type Request } from "../expression.ts";
import { ownedBy, type Zone } from "../state.ts";
import type { World } from "../world.ts";

/** A response that the edge itself gives, without asking an origin. */
export interface EdgeResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Window {
  started: number;
  count: number;
  blockedUntil: number;
}

const page = (status: number, title: string): EdgeResponse => ({
  status,
  contentType: "text/html; charset=UTF-8",
  body: `<!doctype html><title>${title}</title><h1>${title}</h1><p>Rehearsal edge</p>\n`,
  headers: {},
});

export class Rules {
  readonly #world: World;
  readonly #compiled = new Map<string, Predicate>();
  readonly #windows = new Map<string, Window>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The response to a blocked request; undefined when the request is allowed. */
  judge(zone: Zone, request: Request): EdgeResponse | undefined {
    const skipped = new Set<string>();
    for (const rule of this.#matching(zone, "http_request_firewall_custom", request)) {
      const verdict = this.#act(rule, 403);
      if (verdict !== undefined) return verdict;
      if (rule["action"] !== "skip") continue;
      const { ruleset, phases } = isRecord(rule["action_parameters"]) ? rule["action_parameters"] : {};
      for (const phase of texts(phases)) skipped.add(phase);
      if (ruleset === "current") break;
    }
    if (skipped.has("http_ratelimit")) return undefined;
    for (const rule of this.#matching(zone, "http_ratelimit", request)) {
      if (this.#isOver(rule, request)) {
        const verdict = this.#act(rule, 429);
        if (verdict !== undefined) return verdict;
      }
    }
    return undefined;
  }

  /** Action parameters of the cache rules that match a request; later rules override earlier ones. */
  cacheSettings(zone: Zone, request: Request): Json {
    return this.#matching(zone, "http_request_cache_settings", request).reduce<Json>(
      (all, { action_parameters: more }) => ({ ...all, ...(isRecord(more) ? more : {}) }),
      {},
    );
  }

  #matching(zone: Zone, phase: string, request: Request): Json[] {
    const ruleset = ownedBy(this.#world.store, "cloudflare.ruleset", zone.id).find((each) => each["phase"] === phase);
    return records(ruleset?.["rules"]).filter(
      ({ enabled, expression }) => enabled !== false && isText(expression) && this.#predicate(expression)(request),
    );
  }

  #predicate(expression: string): Predicate {
    const known = this.#compiled.get(expression);
    if (known !== undefined) return known;
    const { matches } = compile(expression);
    this.#compiled.set(expression, matches);
    return matches;
  }

  #act({ action, action_parameters: parameters }: Json, status: number): EdgeResponse | undefined {
    switch (action) {
      case "block": {
        const response = isRecord(parameters) ? parameters["response"] : undefined;
        if (!isRecord(response))
          return page(
            status,
            status === 429 ? "Error 1015: You are being rate limited" : "Sorry, you have been blocked",
          );
        return {
          status: Number(response["status_code"]),
          contentType: String(response["content_type"]),
          body: String(response["content"]),
          headers: {},
        };
      }
      case "challenge":
      case "js_challenge":
      case "managed_challenge":
        return { ...page(403, "Just a moment..."), headers: { "cf-mitigated": "challenge" } };
      default:
        return undefined;
    }
  }

  #isOver({ id, ratelimit }: Json, request: Request): boolean {
    if (!isRecord(ratelimit)) return false;
    const {
      counting_expression: counting,
      period,
      requests_per_period: most,
      mitigation_timeout: timeout = 0,
    } = ratelimit;
    if (isText(counting) && counting !== "" && !this.#predicate(counting)(request)) return false;
    const parts = texts(ratelimit["characteristics"]).map((name) => characteristic(name, request));
    const key = `${String(id)} ${parts.join(" ")}`;
    const now = this.#world.date().getTime();
    const before = this.#windows.get(key) ?? { started: now, count: 0, blockedUntil: 0 };
    const window = now - before.started >= Number(period) * 1000 ? { ...before, started: now, count: 0 } : before;
    this.#windows.set(key, window);
    if (now < window.blockedUntil) return true;
    window.count += 1;
    if (window.count <= Number(most)) return false;
    window.blockedUntil = now + Number(timeout) * 1000;
    return true;
  }
}

function characteristic(name: string, request: Request): string {
  if (name === "ip.src") return request.ip;
  const [, header] = /^http\.request\.headers\["([^"]+)"\]$/.exec(name) ?? [];
  return header === undefined ? "" : (request.headers[header.toLowerCase()] ?? "");
}
