/** Faults injected on demand: error replies, delays, failing actions, sold out types, broken machines. */
import { z } from "zod";
import type { ActionFault } from "./hetzner/actions.ts";
import type { Shortage } from "./hetzner/cloud.ts";
import type { Machines } from "./machines/machines.ts";
import type { Store } from "./store.ts";

const often = {
  /** Share of the matching cases in which it applies. */
  rate: z.number().positive().max(1).default(1),
  /** Number of times after which it ends; without it, it lasts until it is removed. */
  times: z.int().positive().optional(),
};
/** Which calls it applies to: API, method, and a path with everything below it. */
const calls = {
  api: z.enum(["hetzner", "cloudflare"]),
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).optional(),
  path: z.string().startsWith("/").default("/"),
};
const seconds = z.number().min(0).max(3600);
/** The scenario that it is part of, with its parameters; without it, it is on its own. */
const part = { scenario: z.string().optional() };
const resource = z.strictObject({ type: z.string(), id: z.int() });

/** Kinds of resources of which an account may have a limited number. */
const limitedKinds = ["server", "primary_ip", "volume", "load_balancer", "floating_ip", "network", "firewall"] as const;

export const faultSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("reply"),
    ...part,
    ...calls,
    ...often,
    status: z.int().min(400).max(599),
    code: z.string().optional(),
    message: z.string().default("a fault of the rehearsal"),
  }),
  z.strictObject({ kind: z.literal("delay"), ...part, ...calls, ...often, seconds }),
  z.strictObject({ kind: z.literal("timeout"), ...part, ...calls, ...often }),
  z.strictObject({
    kind: z.literal("action"),
    ...part,
    ...often,
    command: z.string().optional(),
    resource: resource.optional(),
    seconds: seconds.default(0),
    /** Error code of the action; without it the action is only slow. */
    code: z.string().optional(),
    message: z.string().default("a fault of the rehearsal"),
  }),
  z.strictObject({
    kind: z.literal("sold_out"),
    ...part,
    serverType: z.string().optional(),
    locations: z.array(z.string()).min(1),
  }),
  z.strictObject({ kind: z.literal("closed"), ...part, locations: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal("limit"), ...part, resource: z.enum(limitedKinds), most: z.int().min(0) }),
  z.strictObject({ kind: z.literal("never_boots"), ...part, server: z.int() }),
  z.strictObject({ kind: z.literal("killed"), ...part, server: z.int() }),
  z.strictObject({ kind: z.literal("partition"), ...part, servers: z.tuple([z.int(), z.int()]) }),
  z.strictObject({ kind: z.literal("volume_full"), ...part, volume: z.int(), server: z.int() }),
]);
export type Fault = z.infer<typeof faultSchema>;
export type StoredFault = Fault & { readonly id: number; readonly left?: number };

export interface FaultObjects {
  "rehearsal.fault": StoredFault;
}

/** What the current faults do to one call. */
export interface CallFaults {
  readonly seconds: number;
  readonly reply: { readonly status: number; readonly code: string | undefined; readonly message: string } | undefined;
  /** Whether the call is never answered. */
  readonly hangs: boolean;
}

type Matching<Kind extends Fault["kind"]> = Extract<StoredFault, { kind: Kind }>;

const isBelow = (path: string, top: string): boolean => `${path}/`.startsWith(top.endsWith("/") ? top : `${top}/`);

export class Faults {
  readonly #store: Store<FaultObjects>;
  readonly #machines: Machines;
  /** Returns a number from 0 to below 1; tests pass their own. */
  readonly #random: () => number;

  constructor(store: Store<FaultObjects>, machines: Machines, random: () => number = Math.random) {
    this.#store = store;
    this.#machines = machines;
    this.#random = random;
  }

  list(): StoredFault[] {
    return this.#store.list("rehearsal.fault");
  }

  /** Adds a fault; resolves after it has been applied to machines. */
  async add(fault: Fault): Promise<StoredFault> {
    const id = this.#store.nextId("rehearsal.fault");
    const left = "times" in fault ? fault.times : undefined;
    const stored: StoredFault = { ...fault, id, ...(left !== undefined && { left }) };
    await this.#apply(stored, true);
    // Killing a machine is an event, not a state that can be removed.
    if (fault.kind !== "killed") this.#store.put("rehearsal.fault", id, stored);
    return stored;
  }

  /** Removes one fault, or all. @returns whether any existed */
  remove(id?: number): Promise<boolean> {
    return this.removeEach((one) => id === undefined || one.id === id);
  }

  /** Removes those for which the test is true. @returns whether any existed */
  async removeEach(isMeant: (fault: StoredFault) => boolean): Promise<boolean> {
    const ended = this.list().filter(isMeant);
    for (const one of ended) {
      await this.#apply(one, false);
      this.#store.delete("rehearsal.fault", one.id);
    }
    return ended.length > 0;
  }

  /** The faults for a call. @param path path below the API's prefix */
  onCall(api: "hetzner" | "cloudflare", method: string, path: string): CallFaults {
    const concerns = (one: Matching<"reply" | "delay" | "timeout">) =>
      one.api === api && (one.method === undefined || one.method === method) && isBelow(path, one.path);
    const [slow] = this.#takeMatching("delay", concerns);
    const [hang] = this.#takeMatching("timeout", concerns);
    const [reply] = hang ? [] : this.#takeMatching("reply", concerns);
    return {
      seconds: slow?.seconds ?? 0,
      hangs: hang !== undefined,
      reply: reply && { status: reply.status, code: reply.code, message: reply.message },
    };
  }

  readonly onAction: ActionFault = (command, subjects) => {
    const [found] = this.#takeMatching(
      "action",
      (one) =>
        (one.command === undefined || one.command === command) &&
        (one.resource === undefined ||
          subjects.some(({ id, type }) => id === one.resource?.id && type === one.resource.type)),
    );
    return {
      seconds: found?.seconds ?? 0,
      failure: found?.code === undefined ? undefined : { code: found.code, message: found.message },
    };
  };

  /** What Hetzner cannot give at the moment. */
  readonly shortage: Shortage = {
    soldOut: (serverType) => {
      const found = this.list().flatMap((one) =>
        one.kind === "sold_out" && (one.serverType === undefined || one.serverType === serverType) ? one.locations : [],
      );
      return new Set(found);
    },
    closed: () => new Set(this.list().flatMap((one) => (one.kind === "closed" ? one.locations : []))),
    limit: (kind) => {
      const found = this.list().flatMap((one) =>
        one.kind === "limit" && kind === `hetzner.${one.resource}` ? [one.most] : [],
      );
      return found.length === 0 ? undefined : Math.min(...found);
    },
  };

  /** Applies faults to machines again after a restart of the emulator. */
  async resume(): Promise<void> {
    for (const one of this.list()) await this.#apply(one, true).catch(() => undefined);
  }

  /** The first fault of a kind that applies now, as a list; counts down its remaining times. */
  #takeMatching<Kind extends Fault["kind"]>(
    kind: Kind,
    concerns: (fault: Matching<Kind>) => boolean,
  ): Matching<Kind>[] {
    const isOfKind = (one: StoredFault): one is Matching<Kind> => one.kind === kind;
    return this.list()
      .filter(isOfKind)
      .filter((one) => concerns(one) && ("rate" in one ? this.#random() < one.rate : true))
      .slice(0, 1)
      .map((one) => {
        if (one.left !== undefined) {
          if (one.left > 1) this.#store.put("rehearsal.fault", one.id, { ...one, left: one.left - 1 });
          else this.#store.delete("rehearsal.fault", one.id);
        }
        return one;
      });
  }

  async #apply(fault: StoredFault, on: boolean): Promise<void> {
    const machines = this.#machines;
    switch (fault.kind) {
      case "never_boots":
        return machines.setNeverBoots(fault.server, on);
      case "killed":
        return on ? machines.powerOff(fault.server) : undefined;
      case "partition":
        return machines.setPartition(...fault.servers, on);
      case "volume_full":
        return machines.setVolumeFull(fault.volume, fault.server, on);
      default:
        return undefined;
    }
  }
}
