/** A record of a rehearsal, made up, with the shape of a measured one: the tests and the look of the page need no cloud. */
import type { LoadReport } from "../../../../rehearsal/load/process.ts";
import { chosenStack } from "../../../../tools/chosen-stack.ts";
import { inventoryOf } from "../../../../tools/plan/inventory.ts";
import type { RehearsalRecord } from "../../../../tools/report/record.ts";

export const start = Date.UTC(2026, 10, 29, 13, 0, 0);

/** Four answered requests per second for so many seconds, slower in the middle, and these failures. */
export function sampleLoad(seconds: number, failures: LoadReport["failures"] = []): LoadReport {
  const at = (index: number) => index * 500;
  const slow = (index: number) => (index > seconds * 0.3 && index < seconds * 1.5 ? 3 : 1);
  const one = (shift: number): [number, number][] =>
    Array.from({ length: seconds * 2 }, (_, index) => [
      at(index) + shift,
      slow(index) * (20 + ((index * 37) % 50)) + (index % 41 === 0 ? 400 : 0),
    ]);
  const requests = { order: one(0), page: one(120), upload: one(60).filter((_, index) => index % 10 === 0) };
  return {
    began: start,
    requests,
    answered: Object.fromEntries(Object.entries(requests).map(([what, each]) => [what, each.length])),
    failures,
    reconnected: 3,
    latency: { median: 60, p99: 500, slowest: 700 },
    ledger: { acknowledged: seconds * 2, lost: [], doubled: [], unconfirmed: [] },
  };
}

/** A move from mvp to scale under load that took 160 s, by default without a failure. */
export function sampleRecord(change: Partial<RehearsalRecord> = {}): RehearsalRecord {
  const side = (phase: string): RehearsalRecord["before"] => {
    const file = chosenStack({ root: process.cwd(), project: process.cwd(), stack: "prod" }, phase);
    const { monthly, items } = inventoryOf(file).cost;
    const picture = `<svg width="300pt" height="100pt" xmlns="http://www.w3.org/2000/svg"><text x="9" y="50">${phase}</text></svg>`;
    return { phase, picture, monthly, costs: items.map((item) => ({ ...item })) };
  };
  const [from, to] = [start + 20_000, start + 180_000];
  const places = ["core-1", "db-2", "app-fsn1-1", "app-nbg1-1", "worker-fsn1-1", "Cloudflare", "everything else"];
  const steps = places.flatMap((place, lane) =>
    Array.from({ length: 6 + lane * 3 }, (_, index) => ({
      action: (["create", "create", "create", "update", "delete", "replace"] as const)[(index + lane) % 6] ?? "create",
      resource: `Container ${place}-${index}`,
      place,
      from: from + ((index * 7 + lane * 3) % 150) * 1000,
      to: from + (((index * 7 + lane * 3) % 150) + 1 + ((index * 5) % 17)) * 1000,
      failed: false,
    })),
  );
  return {
    version: 1,
    ...{ stack: "prod", cloud: "main", began: start, before: side("mvp"), after: side("scale") },
    change: side("scale").picture,
    prices: "a price list, 2026-11-01",
    update: { from, to, code: 0, unchanged: 76, steps },
    kept: ["database", "cache", "broker"].map((service) => ({
      ...{ service, server: "core-1", before: "0123456789ab, since 2026-11-29T12:50:00" },
      after: "0123456789ab, since 2026-11-29T12:50:00",
    })),
    load: sampleLoad(200),
    rates: { orders: 2, pages: 2, uploads: 0.2, sockets: 3 },
    versions: [
      { what: "Pulumi", version: "v3.255.0" },
      { what: "image postgres", version: "orion/postgres:15-bookworm, in place of postgres:15-bookworm" },
    ],
    notes: ["One machine runs everything."],
    commands: ["make rehearse PHASE=mvp", "make rehearse PHASE=scale LOAD=1"],
    ...change,
  };
}
