/** The calls that the emulated APIs serve, read from the routes that they register. */
import { createHash } from "node:crypto";
import fastify from "fastify";
import { registerCloudflare } from "../../rehearsal/cloudflare/api.ts";
import { noObjects } from "../../rehearsal/cloudflare/objects/storage.ts";
import type { CloudflareObjects } from "../../rehearsal/cloudflare/state.ts";
import { type FaultObjects, Faults } from "../../rehearsal/faults.ts";
import { registerHetzner } from "../../rehearsal/hetzner/api.ts";
import type { HetznerObjects } from "../../rehearsal/hetzner/state.ts";
import { NoMachines } from "../../rehearsal/machines/none.ts";
import { Store } from "../../rehearsal/store.ts";

/** A call that is served. */
export interface Served {
  /** `<METHOD> <path>`, with `:id` for parameters. */
  readonly call: string;
  /** How it differs from the real one; undefined: nothing is known. */
  readonly differs: string | undefined;
}

export type Api = "hetzner" | "cloudflare";
const prefixes: Readonly<Record<Api, string>> = { hetzner: "/hetzner/v1", cloudflare: "/client/v4" };

/** Registers both APIs, without a server that listens. */
export async function servedCalls(): Promise<Readonly<Record<Api, readonly Served[]>>> {
  const found: Record<Api, Served[]> = { hetzner: [], cloudflare: [] };
  const app = fastify();
  app.addHook("onRoute", ({ method, url, config }) => {
    if (config?.isRefused === true) return;
    for (const api of ["hetzner", "cloudflare"] as const) {
      if (!url.startsWith(`${prefixes[api]}/`)) continue;
      for (const one of [method].flat().filter((name) => name !== "HEAD"))
        found[api].push({ call: `${one} ${url.slice(prefixes[api].length)}`, differs: config?.differs });
    }
  });
  const store = new Store<HetznerObjects & CloudflareObjects & FaultObjects>(":memory:");
  const machines = new NoMachines();
  const faults = new Faults(store, machines);
  const now = (): Date => new Date(0);
  const token = createHash("sha256").update("no client").digest("hex");
  const own = { machines, block: 1, shortage: faults.shortage, actionFault: faults.onAction };
  registerHetzner(app, { ...own, store, now, token, onError: () => undefined });
  registerCloudflare(app, { store, now, token, accountId: "0".repeat(32), zones: [], objects: noObjects });
  await app.ready();
  await app.close();
  store.close();
  return found;
}
