/**
 * The emulated Hetzner Cloud on a free port of loopback, without machines unless a test gives some. Every reply has to be
 * as the document of the real API says, or the test fails.
 */
import fastify, { type FastifyInstance } from "fastify";
import { isRecord } from "../../../../common/record.ts";
import { injectCallFaults } from "../../../../rehearsal/cloud/call-faults.ts";
import { type FaultObjects, Faults, faultSchema } from "../../../../rehearsal/faults.ts";
import { registerHetzner } from "../../../../rehearsal/hetzner/api.ts";
import type { Cloud, CloudOptions } from "../../../../rehearsal/hetzner/cloud.ts";
import type { HetznerObjects, NamedKind } from "../../../../rehearsal/hetzner/state.ts";
import type { Json } from "../../../../rehearsal/json.ts";
import { NoMachines } from "../../../../rehearsal/machines/none.ts";
import { Store } from "../../../../rehearsal/store.ts";
import { deviations } from "../hetzner/deviations.ts";
import { noteCalls } from "./clients.ts";
import { Specification, watch } from "./openapi.ts";

export const hetznerToken = "0123456789abcdef".repeat(4);

export interface Reply {
  readonly status: number;
  readonly body: Json;
  /** The code of the error, when the reply is one. */
  readonly code: unknown;
}

export interface HetznerOptions extends Partial<Pick<CloudOptions, "machines">> {
  /** How many the account may have of each kind. @default - as the faults say */
  readonly limits?: Partial<Readonly<Record<NamedKind, number>>>;
  /** The file of the state; without one it is forgotten. */
  readonly path?: string;
  /** Chance, for the faults. */
  readonly random?: () => number;
}

/** What the replies are held against; undefined where it is not at hand. */
export const specification = Specification.read("hcloud-openapi.json", deviations, { isComplete: true });

const prefix = "/hetzner/v1";
const open = new Set<HetznerApi>();

afterEach(async () => {
  for (const api of [...open]) await api.close();
  expect(specification?.takeComplaints() ?? []).toEqual([]);
});

export class HetznerApi {
  readonly app: FastifyInstance = fastify();
  /** Every call that is served. */
  readonly routes = watch(this.app, prefix, specification);
  readonly cloud: Cloud;
  readonly resume: () => Promise<void>;
  readonly store: Store<HetznerObjects & FaultObjects>;
  readonly faults: Faults;
  now = new Date("2026-01-01T00:00:00Z");
  /** Its address with the path of the API. */
  readonly endpoint: Promise<string>;
  readonly failures: unknown[] = [];

  constructor(options: HetznerOptions = {}) {
    const { path = ":memory:", machines = new NoMachines() } = options;
    noteCalls(this.app, "hetzner", prefix);
    this.store = new Store<HetznerObjects & FaultObjects>(path);
    this.faults = new Faults(this.store, machines, options.random);
    injectCallFaults(this.app, this.faults);
    const { cloud, resume } = registerHetzner(this.app, {
      store: this.store,
      now: () => this.now,
      token: hetznerToken,
      block: 78,
      machines,
      shortage: { ...this.faults.shortage, ...(options.limits && { limit: (kind) => options.limits?.[kind] }) },
      actionFault: this.faults.onAction,
      onError: (error) => this.failures.push(error),
    });
    this.cloud = cloud;
    this.resume = resume;
    this.endpoint = this.app.listen({ host: "127.0.0.1", port: 0 }).then((base) => `${base}${prefix}`);
    open.add(this);
  }

  async call(method: string, path: string, payload?: unknown, token = hetznerToken): Promise<Reply> {
    const response = await fetch(`${await this.endpoint}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(payload !== undefined && { "content-type": "application/json" }),
      },
      ...(payload !== undefined && { body: JSON.stringify(payload) }),
    });
    const text = await response.text();
    const body: unknown = text === "" ? {} : JSON.parse(text);
    if (!isRecord(body)) throw new Error(`${method} ${path}: no object`);
    return { status: response.status, body, code: isRecord(body["error"]) ? body["error"]["code"] : undefined };
  }

  /** Calls, and waits for every action that came of it. @throws when the call is refused */
  async do(method: string, path: string, payload?: unknown): Promise<Json> {
    const { status, body } = await this.call(method, path, payload);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    await this.cloud.settled();
    return body;
  }

  /** Makes a resource and gives its id. @param singular `server`, `load_balancer`, ... */
  async make(singular: string, payload: unknown): Promise<number> {
    const { [singular]: made } = await this.do("POST", `/${singular}s`, payload);
    if (!isRecord(made)) throw new Error(`no ${singular} in the reply`);
    return Number(made["id"]);
  }

  /** A server of the smallest type. */
  server(rest: object = {}): Promise<number> {
    return this.make("server", { name: "a", server_type: "cx23", image: "debian-12", location: "fsn1", ...rest });
  }

  /** The network 10.20.0.0/16 with the subnet 10.20.1.0/24. */
  network(rest: object = {}): Promise<number> {
    const subnets = [{ type: "cloud", network_zone: "eu-central", ip_range: "10.20.1.0/24" }];
    return this.make("network", { name: "net", ip_range: "10.20.0.0/16", subnets, ...rest });
  }

  /** A resource as it is now. */
  async show(singular: string, id: number): Promise<Json> {
    const { [singular]: shown } = await this.do("GET", `/${singular}s/${id}`);
    if (!isRecord(shown)) throw new Error(`no ${singular} in the reply`);
    return shown;
  }

  /** Begins a fault. */
  async fault(fault: unknown): Promise<void> {
    await this.faults.add(faultSchema.parse(fault));
  }

  /** Status and code of a call that is refused. @throws when it is not */
  async refusal(method: string, path: string, payload?: unknown): Promise<readonly [status: number, code: unknown]> {
    const { status, code, body } = await this.call(method, path, payload);
    if (status < 400) throw new Error(`${method} ${path} was not refused: ${JSON.stringify(body)}`);
    return [status, code];
  }

  async close(): Promise<void> {
    if (!open.delete(this)) return;
    await this.endpoint;
    await this.app.close();
    await this.cloud.settled();
    this.store.close();
  }
}
