/** Registers API routes: checks the token's permission, resolves zone or account, and wraps the answer in the envelope. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { ApiError, Page, success } from "./envelope.ts";
import type { Zone } from "./state.ts";
import { type Area, type Caller, mayCall } from "./permissions.ts";
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

export interface ZoneCall extends Call {
  readonly zone: Zone;
}

type Answer = unknown;

/** Returned by a handler for a response without a body. */
export const noContent = Symbol("no content");

/** Registers routes of one area of the API; the area determines the required permission. */
export class Routes {
  readonly #app: FastifyInstance;
  readonly #world: World;
  readonly #area: Area;

  constructor(app: FastifyInstance, world: World, area: Area) {
    this.#app = app;
    this.#world = world;
    this.#area = area;
  }

  /** A call below `/zones/:zone`. */
  zone(method: Method, path: string, handler: (call: ZoneCall) => Answer): void {
    this.#add(method, `/zones/:zone${path}`, (call) => {
      const zone = this.#world.zone(call.params["zone"] ?? "");
      this.#allow(call, method, zone);
      return handler({ ...call, zone });
    });
  }

  /** A call below `/accounts/:account`. */
  account(method: Method, path: string, handler: (call: Call) => Answer): void {
    this.#add(method, `/accounts/:account${path}`, (call) => {
      this.#world.account(call.params["account"] ?? "");
      this.#allow(call, method, undefined);
      return handler(call);
    });
  }

  /** A call of the user. */
  user(method: Method, path: string, handler: (call: Call) => Answer): void {
    this.#add(method, path, (call) => {
      this.#allow(call, method, undefined);
      return handler(call);
    });
  }

  #allow(call: Call, method: Method, zone: Zone | undefined): void {
    const target = { area: this.#area, write: method !== "GET", zone: zone?.id, account: this.#world.accountId };
    if (!mayCall(call.caller, target)) throw new ApiError(403, 10000, "Authentication error");
  }

  #add(method: Method, url: string, handler: (call: Call) => Answer): void {
    this.#app.route({
      method,
      url,
      handler: async (request, reply) => {
        const answer = await handler(this.#callOf(request));
        return send(reply, answer);
      },
    });
  }

  #callOf(request: FastifyRequest): Call {
    return {
      caller: this.#world.callerOf(request.headers.authorization),
      params: textsOf(request.params),
      query: textsOf(request.query),
      headers: textsOf(request.headers),
      body: isRecord(request.body) ? request.body : {},
    };
  }
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  if (answer === noContent) return reply.code(204).send();
  const framed = answer instanceof Page ? success(answer.items, answer.info) : success(answer ?? null);
  return reply.send(framed);
}

const textsOf = (value: unknown): Record<string, string> =>
  isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).flatMap(([key, each]) => (typeof each === "string" ? [[key, each]] : [])),
      )
    : {};
