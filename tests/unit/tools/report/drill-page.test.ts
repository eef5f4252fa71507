/** The report of drills. */
import type { LoadReport } from "../../../../rehearsal/load/process.ts";
import { drillPageOf, drillsVerdict, episodeVerdict } from "../../../../tools/report/drill-page.ts";
import { type DrillRecord, drillRecordSchema, type Episode } from "../../../../tools/report/drill-record.ts";
import { orderPause } from "../../../../tools/report/figures.ts";
import { sampleLoad, sampleRecord, start } from "./sample.ts";

const failure = (what: string, second: number) => ({
  ...{
    began: new Date(start + second * 1000).toISOString(),
    time: new Date(start + second * 1000 + 400).toISOString(),
  },
  ...{ what, why: "503" },
});
const withLedger = (load: LoadReport, ledger: Partial<LoadReport["ledger"]>): LoadReport => ({
  ...load,
  ledger: { ...load.ledger, ...ledger },
});
const episode = (change: Partial<Episode> = {}): Episode => ({
  ...{ name: "power-cut", title: "Power is cut", about: "All of it.", problem: null, mayLose: null, output: "" },
  ...{ spans: [{ label: "until well", from: start + 8000, to: start + 20_000 }], facts: [], load: sampleLoad(30) },
  ...change,
});
const record = (episodes: Episode[], left: DrillRecord["left"] = []): DrillRecord => ({
  ...{ version: 1, stack: "prod", cloud: "main", phase: "scale", began: start, episodes, left },
  ...{ picture: sampleRecord().after.picture, rates: { orders: 2 }, versions: [], notes: [], commands: ["make drill"] },
});

test("orders pause from the first of several that fail to the next that is answered; the longest pause counts", () => {
  expect(orderPause(sampleLoad(30))).toBe(0);
  expect(orderPause(sampleLoad(30, [failure("page", 3)]))).toBe(0);
  // An order is answered each half second, so these two are pauses of their own.
  expect(orderPause(sampleLoad(30, [failure("order", 12.1), failure("order", 10.2)]))).toBe(0.4);
  const quiet = sampleLoad(30, [failure("order", 10.1), failure("order", 12), failure("order", 20.3)]);
  const orders = (quiet.requests["order"] ?? []).filter(([at]) => at < 10_000 || at > 13_000);
  expect(orderPause({ ...quiet, requests: { order: orders } })).toBe(3.4);
  expect(orderPause(sampleLoad(30, [failure("order", 29.9)]))).toBeUndefined();
});

test("a drill has passed when the platform got well and no order is missing, whatever failed meanwhile", () => {
  expect(episodeVerdict(episode({ load: sampleLoad(30, [failure("order", 10)]) })).level).toBe("good");
  expect(episodeVerdict(episode({ problem: "After 300 s it was still not so: healthy" })).level).toBe("bad");
  expect(episodeVerdict(episode({ load: withLedger(sampleLoad(30), { lost: ["a"] }) })).level).toBe("bad");
});

test("where the last orders may be missing it is told, and one that is there twice is a failure all the same", () => {
  const mayLose = "Replication is asynchronous.";
  const verdict = (ledger: Partial<LoadReport["ledger"]>) =>
    episodeVerdict(episode({ mayLose, load: withLedger(sampleLoad(30), ledger) }));
  expect(verdict({ lost: ["a"] }).level).toBe("attention");
  expect(verdict({ lost: ["a"] }).sentences).toContain(mayLose);
  expect(verdict({ lost: ["a"], doubled: ["b"] }).level).toBe("bad");
});

test("one that failed makes all of them fail, and is named; none at all is no success", () => {
  const failed = episode({ name: "restore", problem: "no backup" });
  const two = drillsVerdict({ episodes: [episode(), failed], left: [] });
  expect([two.level, two.sentences[0]]).toEqual(["bad", "1 of 2 drills failed: restore."]);
  const none = drillsVerdict({ episodes: [], left: [{ title: "Promotion", why: "no replica" }] });
  expect([none.level, none.sentences.at(-1)]).toEqual(["attention", "Not done: Promotion (no replica)."]);
});

test("the page is one file that loads nothing, shows each drill, and can be drawn again from what is stored", () => {
  const load = sampleLoad(30, [failure("order", 10), failure("page", 11)]);
  const stored = record([episode({ load }), episode({ name: "restore", output: "ok <b>orders</b>: 12 rows" })]);
  const html = drillPageOf(stored);
  expect(html).not.toMatch(/<script|<link|@import|url\(|https?:|<b>orders/);
  expect(html.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ")).toMatch(/passed power-cut 0\.5 s 2 60 0/);
  expect(html.match(/<svg class="chart"/g)).toHaveLength(8);
  expect(drillPageOf(drillRecordSchema.parse(JSON.parse(JSON.stringify(stored))))).toBe(html);
});
