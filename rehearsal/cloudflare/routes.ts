/** Registers API routes: checks the token's permission, resolves zone or account, and wraps the answer in the envelope. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isRecord } from "../../common/record.ts";
import { Differences } from "../differences.ts";
import type { Json } from "../json.ts";
import { ApiError, Listing, notEmulated, success } from "./envelope.ts";
import type { Zone } from "./state.ts";
import { type Area, type Caller, mayCall } from "./permissions.ts";
import { checkProperties, codeOf, shapeOf } from "./properties.ts";
import type { World } from "./world.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One call, as handlers receive it. */
export interface Call {
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as an object; an empty one when nothing was sent. */
  readonly body: Json;
}

/** The query parameters of a list in pages. */
export const paging = ["page", "per_page"];

export interface ZoneCall extends Call {
  readonly zone: Zone;
}

type Answer = unknown;

/** Returned by a handler for a response without a body. */
export const noContent = Symbol("no content");

/**
 * Registers routes of one area of the API; the area determines the required permission. Each names the query parameters that
 * it honours: another one is refused, because a client that is not told believes the answer.
 */
export class Routes {
  readonly #app: FastifyInstance;
  readonly #world: World;
  readonly #area: Area;
  readonly #differences: Differences;
  readonly #refused = new Set<string>();

  constructor(app: FastifyInstance, world: World, area: Area) {
    this.#app = app;
    this.#world = world;
    this.#area = area;
    this.#differences = new Differences(app);
  }

  /** Says how calls differ from the real API's, before they are registered. @param calls such as `GET /zones/:zone/settings` */
  differs(calls: readonly string[], what: string): void {
    this.#differences.declare(calls, what);
  }

  /** A call below `/zones/:zone`. */
  zone(method: Method, path: string, handler: (call: ZoneCall) => Answer, query: readonly string[] = []): void {
    const work = (call: Call): Answer => {
      const zone = this.#world.zone(call.params["zone"] ?? "");
      this.#allow(call, method, zone);
      return handler({ ...call, zone });
    };
    this.#add(method, `/zones/:zone${path}`, work, query);
  }

  /** A call below `/accounts/:account`. */
  account(method: Method, path: string, handler: (call: Call) => Answer, query: readonly string[] = []): void {
    const work = (call: Call): Answer => {
      this.#world.account(call.params["account"] ?? "");
      this.#allow(call, method, undefined);
      return handler(call);
    };
    this.#add(method, `/accounts/:account${path}`, work, query);
  }

  /** A call of the user. */
  user(method: Method, path: string, handler: (call: Call) => Answer, query: readonly string[] = []): void {
    const work = (call: Call): Answer => {
      this.#allow(call, method, undefined);
      return handler(call);
    };
    this.#add(method, path, work, query);
  }

  /** A call that every valid token may make. */
  anybody(method: Method, path: string, handler: (call: Call) => Answer): void {
    this.#add(method, path, handler, []);
  }

  /** Paths of a zone that exist at Cloudflare and that a route with a parameter in their place would answer wrongly. */
  notEmulated(method: Method, ...paths: readonly string[]): void {
    for (const path of paths) {
      this.#refused.add(`${method} /zones/:zone${path}`);
      this.zone(method, path, ({ zone }) => {
        throw notEmulated(`${method} /zones/${zone.id}${path}`);
      });
    }
  }

  #allow(call: Call, method: Method, zone: Zone | undefined): void {
    const target = { area: this.#area, write: method !== "GET", zone: zone?.id, account: this.#world.accountId };
    if (!mayCall(call.caller, target)) throw new ApiError(403, 10000, "Authentication error");
  }

  #add(method: Method, url: string, handler: (call: Call) => Answer, honoured: readonly string[]): void {
    const isRefused = this.#refused.has(`${method} ${url}`);
    const shape = isRefused ? undefined : shapeOf(method, url);
    this.#app.route({
      method,
      url,
      config: { ...this.#differences.of(method, url), isRefused },
      handler: async (request, reply) => {
        const call = this.#callOf(request);
        checkParameters(request.query, honoured, `${method} ${url}`);
        if (shape !== undefined) checkProperties(call.body, shape, `${method} ${url}`, codeOf(url));
        const answer = await handler(call);
        return send(reply, answer);
      },
    });
  }

  #callOf(request: FastifyRequest): Call {
    return {
      caller: this.#world.callerOf(request.headers.authorization, request.ip),
      params: textsOf(request.params),
      query: textsOf(joinedLists(request.query)),
      headers: textsOf(request.headers),
      body: bodyOf(request.body),
    };
  }
}

/** Parameters with more than one value, which clients give with commas or one by one. */
const lists = ["type"];

/** Refuses a parameter that would be ignored, or of which only one value would be looked at. */
export function checkParameters(query: unknown, honoured: readonly string[], call: string): void {
  for (const [name, value] of Object.entries(isRecord(query) ? query : {})) {
    if (!honoured.includes(name)) throw notEmulated(`the query parameter ${name} of ${call}`);
    if (typeof value !== "string" && !lists.includes(name))
      throw notEmulated(`the query parameter ${name} of ${call} given more than once`);
  }
}

const joinedLists = (query: unknown): unknown =>
  isRecord(query)
    ? Object.fromEntries(
        Object.entries(query).map(([name, value]) => [name, lists.includes(name) ? String(value) : value]),
      )
    : query;

/** @param sent the text of the body; undefined: none */
function bodyOf(sent: unknown): Json {
  if (typeof sent !== "string" || sent.trim() === "") return {};
  const malformed = (why: string): ApiError => new ApiError(400, 6007, `Malformed JSON in request body: ${why}`);
  // Such a key would change what other objects have.
  if (/"__proto__"\s*:/.test(sent)) throw malformed("__proto__ is no key");
  let body: unknown;
  try {
    body = JSON.parse(sent);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
  if (!isRecord(body)) throw malformed("expected an object");
  return body;
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  if (answer === noContent) return reply.code(204).send();
  const framed = answer instanceof Listing ? success(answer.result, answer.info) : success(answer ?? null);
  return reply.send(framed);
}

const textsOf = (value: unknown): Record<string, string> =>
  isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).flatMap(([key, each]) => (typeof each === "string" ? [[key, each]] : [])),
      )
    : {};
