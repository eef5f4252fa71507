/** Headers of every reply: an id of the call, the rate limit, and links to other pages. */
import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isRecord } from "../../common/record.ts";

/** Calls per hour and project. */
const hourly = 3600;

/**
 * Hetzner's rate limit: 3,600 calls, of which one comes back each second. The rehearsal counts them and refuses none; a
 * fault `reply status=429` does.
 */
export class RateLimit {
  readonly #now: () => Date;
  #remaining = hourly;
  #counted: number;

  constructor(now: () => Date) {
    this.#now = now;
    this.#counted = now().getTime();
  }

  /** Counts a call. @returns calls that remain, and the Unix time at which all of them will be back */
  count(): { readonly remaining: number; readonly reset: number } {
    const now = this.#now().getTime();
    const back = Math.max(0, now - this.#counted) / 1000;
    this.#counted = now;
    this.#remaining = Math.max(0, Math.min(hourly, this.#remaining + back) - 1);
    return { remaining: Math.floor(this.#remaining), reset: Math.ceil(now / 1000 + hourly - this.#remaining) };
  }
}

/** Adds the headers to every reply, errors and faults among them. */
export function addHeaders(scope: FastifyInstance, limit: RateLimit): void {
  scope.addHook("onSend", (_request, reply, payload, done) => {
    const { remaining, reset } = limit.count();
    void reply.headers({
      "x-correlation-id": randomBytes(8).toString("hex"),
      "ratelimit-limit": String(hourly),
      "ratelimit-remaining": String(reply.statusCode === 429 ? 0 : remaining),
      "ratelimit-reset": String(reset),
    });
    done(null, payload);
  });
}

/** Header `Link` of a page of a list; undefined for other replies. */
export function linksOf(request: FastifyRequest, answer: unknown): string | undefined {
  const meta = isRecord(answer) ? answer["meta"] : undefined;
  const pagination = isRecord(meta) ? meta["pagination"] : undefined;
  if (!isRecord(pagination)) return undefined;
  const relations = { prev: "previous_page", next: "next_page", last: "last_page" };
  const links = Object.entries(relations).flatMap(([relation, key]) => {
    const page = pagination[key];
    if (typeof page !== "number") return [];
    const url = new URL(request.url, `${request.protocol}://${request.host}`);
    url.searchParams.set("page", String(page));
    return [`<${url.href}>; rel="${relation}"`];
  });
  return links.join(", ");
}
