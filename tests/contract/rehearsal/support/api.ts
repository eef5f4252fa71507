/**
 * The emulated Cloudflare API on a free port of loopback, with nothing behind it. Every reply has to be as the document of
 * the real API says, where that knows the call, or the test fails.
 */
import fastify, { type FastifyInstance } from "fastify";
import { isRecord } from "../../../../common/record.ts";
import { registerCloudflare } from "../../../../rehearsal/cloudflare/api.ts";
import type { Json } from "../../../../rehearsal/json.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { noObjects, type ObjectStorage } from "../../../../rehearsal/cloudflare/objects/storage.ts";
import type { World, ZoneConfig } from "../../../../rehearsal/cloudflare/world.ts";
import type { CloudflareObjects } from "../../../../rehearsal/cloudflare/state.ts";
import { Store } from "../../../../rehearsal/store.ts";
import { deviations } from "../cloudflare/deviations.ts";
import { noteCalls } from "./clients.ts";
import { Specification, watch } from "./openapi.ts";

export const ownerToken = "0123456789abcdef".repeat(4);
export const accountId = "0".repeat(32);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
  /** The result, when it is an object. */
  readonly result: Json;
  /** The code of the first error. */
  readonly code: unknown;
}

/** What the replies are held against; undefined where it is not at hand. */
export const specification = Specification.read("cloudflare-openapi.json", deviations, { hasNoNull: true });

const prefix = "/client/v4";
const open = new Set<Api>();

afterEach(async () => {
  // Closing one that is about to listen leaves its port open.
  await Promise.all([...open].map(({ app, base }) => base.then(() => app.close())));
  open.clear();
  expect(specification?.takeComplaints() ?? []).toEqual([]);
});

export class Api {
  readonly app: FastifyInstance = fastify();
  /** Every call that is served. */
  readonly routes = watch(this.app, prefix, specification);
  readonly world: World;
  readonly store = new Store<CloudflareObjects>(":memory:");
  now = new Date("2026-01-01T00:00:00Z");
  /** Its address, without the path of the API. */
  readonly base: Promise<string>;

  constructor(
    zones: readonly ZoneConfig[] = [{ name: "example.com", plan: "free" }],
    objects: ObjectStorage = noObjects,
  ) {
    noteCalls(this.app, "cloudflare", prefix);
    this.world = registerCloudflare(this.app, {
      store: this.store,
      now: () => this.now,
      token: ownerToken,
      accountId,
      zones,
      objects,
    });
    this.base = this.app.listen({ host: "127.0.0.1", port: 0 });
    open.add(this);
  }

  /** The id of a zone. */
  zone(name = "example.com"): string {
    const zone = this.world.zoneOf(name);
    if (zone === undefined) throw new Error(`no zone ${name}`);
    return zone.id;
  }

  async call(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    payload?: Readonly<Record<string, unknown>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await fetch(`${await this.base}${prefix}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${ownerToken}`,
        ...headers,
        ...(payload !== undefined && { "content-type": "application/json" }),
      },
      ...(payload !== undefined && { body: JSON.stringify(payload) }),
    });
    const text = await response.text();
    const body: unknown = text === "" ? {} : JSON.parse(text);
    if (!isRecord(body)) throw new Error(`${method} ${path}: no object`);
    const { result } = body;
    return {
      status: response.status,
      headers: response.headers,
      body,
      result: isRecord(result) ? result : {},
      code: records(body["errors"])[0]?.["code"],
    };
  }
}
