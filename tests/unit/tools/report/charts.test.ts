/** The charts: valid SVG within their borders, whatever the load was. */
import { Resvg } from "@resvg/resvg-js";
import {
  clock,
  type Frame,
  latencyChart,
  requestsChart,
  rowsOf,
  scaleOf,
  stepsChart,
} from "../../../../tools/report/charts.ts";
import { windowsOf } from "../../../../tools/report/figures.ts";
import { sampleLoad, sampleRecord, start } from "./sample.ts";

const failure = {
  ...{ began: new Date(start + 3000).toISOString(), time: new Date(start + 4000).toISOString() },
  ...{ what: "page", why: '502 <"&' },
};
const frame = (width: number): Frame => ({
  ...{ width, time: { from: start, to: start + 200_000 } },
  marked: [{ from: start + 20_000, to: start + 180_000, label: "the update" }],
});
/** Throws where the text is no XML. An SVG within HTML needs no name space, one of its own does. */
const expectXml = (svg: string) => new Resvg(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '));
/** The rectangles of a class. */
const rectangles = (svg: string, kind: string) => {
  expectXml(svg);
  return [
    ...svg.matchAll(
      new RegExp(`<rect class="${kind}" x="([\\d.]+)" y="([\\d.-]+)" width="([\\d.]+)" height="([\\d.]+)"`, "g"),
    ),
  ].map(([, ...numbers]) => numbers.map(Number));
};

test.each([960, 350])("answered and failed requests are drawn above each other, %d pixels wide", (width) => {
  const svg = requestsChart(frame(width), windowsOf(sampleLoad(200, [failure]), 1));
  const [answered, failed] = [rectangles(svg, "answered"), rectangles(svg, "failed")];
  expect([answered.length, failed.length]).toEqual([200, 1]);
  const [x = 0, y = 0, , height = 0] = failed[0] ?? [];
  const below = answered.find(([at]) => at === x);
  // The failed part ends where the answered part begins.
  expect(y + height).toBeCloseTo(below?.[1] ?? 0, 0);
  for (const [left = 0, top = 0, wide = 0] of [...answered, ...failed]) {
    expect([left >= 0, left + wide <= width, top >= 0]).toEqual([true, true, true]);
  }
});

test("a load without an answer has a chart without lines", () => {
  const silent = windowsOf({ ...sampleLoad(0), failures: [failure] }, 1);
  const svg = latencyChart(frame(960), silent);
  expectXml(svg);
  expect(svg).not.toMatch(/polyline|NaN|Infinity/);
  expect(requestsChart(frame(960), silent)).not.toMatch(/NaN|Infinity/);
});

test("the line of the response times has a gap where nothing was answered", () => {
  const load = sampleLoad(30);
  const requests = Object.fromEntries(
    Object.entries(load.requests).map(([what, each]) => [what, each.filter(([at]) => at < 10_000 || at > 20_000)]),
  );
  const svg = latencyChart(frame(960), windowsOf({ ...load, requests }, 2));
  expect(svg.match(/class="line median"/g)).toHaveLength(2);
});

test("each step is drawn once, in the lane of its place, and those at the same time below each other", () => {
  const { steps } = sampleRecord().update;
  const svg = stepsChart(frame(960), steps);
  expectXml(svg);
  expect(svg.match(/class="step /g)).toHaveLength(steps.length);
  expect([...svg.matchAll(/class="lane"[^>]*>([^<]*)/g)].map(([, text]) => text)).toEqual([
    ...["app-fsn1-1 · 12", "app-nbg1-1 · 15", "Cloudflare · 21", "core-1 · 6", "db-2 · 9", "worker-fsn1-1 · 18"],
    "everything else · 24",
  ]);
  const rows = rowsOf([
    { from: 0, to: 10 },
    { from: 5, to: 6 },
    { from: 6, to: 20 },
    { from: 10, to: 12 },
  ]);
  expect(rows.map(({ row }) => row)).toEqual([0, 1, 1, 0]);
});

test("a stack's own names are text, not markup", () => {
  const [step] = sampleRecord().update.steps;
  if (!step) throw new Error("the sample has no steps");
  const svg = stepsChart(frame(960), [{ ...step, place: "<b>", resource: 'Container "&' }]);
  expectXml(svg);
  expect(svg).not.toContain("<b>");
});

test("the axis ends at or above the largest value, in round numbers", () => {
  expect(scaleOf(4.4)).toEqual([0, 2, 4, 6]);
  expect(scaleOf(0)).toEqual([0, 0.5, 1]);
  expect(scaleOf(100).at(-1)).toBeGreaterThanOrEqual(100);
  expect([clock(5000), clock(754_600)]).toEqual(["0:05", "12:35"]);
});
