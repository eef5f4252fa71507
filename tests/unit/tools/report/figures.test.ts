/** The numbers of a load. */
import { figuresIn, percentile, spanOf, windowSeconds, windowsOf } from "../../../../tools/report/figures.ts";
import { sampleLoad, start } from "./sample.ts";

const load = {
  ...sampleLoad(0),
  requests: {
    page: [
      [0, 10],
      [500, 20],
      [1500, 300],
    ] as [number, number][],
    order: [[900, 40]] as [number, number][],
  },
  failures: [
    {
      began: new Date(start + 1200).toISOString(),
      time: new Date(start + 3000).toISOString(),
      what: "page",
      why: "502",
    },
  ],
};

test("a percentile is a value that was measured, and no value is no percentile", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([0.5, 0.95, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 95, 99, 100]);
  expect([percentile([7], 0.01), percentile([], 0.5)]).toEqual([7, undefined]);
});

test("requests and failures belong to the span in which they began", () => {
  expect(figuresIn(load, { from: start, to: start + 1000 })).toMatchObject({
    ...{ answered: 3, perSecond: 3, failed: 0, median: 20, slowest: 40 },
  });
  expect(figuresIn(load, { from: start + 1000, to: start + 2000 })).toMatchObject({
    ...{ answered: 1, failed: 1, median: 300 },
  });
  expect(figuresIn(load, { from: start + 5000, to: start + 6000 })).toMatchObject({ answered: 0, median: undefined });
});

test("the load lasts until its last request has ended, failed ones included", () => {
  expect(spanOf(load)).toEqual({ from: start, to: start + 3000 });
  expect(spanOf({ ...load, requests: {}, failures: [] })).toEqual({ from: start, to: start });
});

test("windows are as short as their number allows, and together have every request of theirs", () => {
  expect([60, 61, 3000].map((seconds) => windowSeconds({ from: 0, to: seconds * 1000 }, 60))).toEqual([1, 2, 60]);
  const windows = windowsOf(load, 1);
  expect(windows.map(({ answered, failed }) => [answered, failed])).toEqual([
    [3, 0],
    [1, 1],
    [0, 0],
  ]);
});

test("a WebSocket that broke off failed then, and not when it was opened", () => {
  const [began, time] = [new Date(start).toISOString(), new Date(start + 8000).toISOString()];
  const broken = { ...load, failures: [{ began, time, what: "WebSocket", why: "1006" }] };
  expect(figuresIn(broken, { from: start, to: start + 1000 }).failed).toBe(0);
  expect(figuresIn(broken, { from: start + 8000, to: start + 9000 }).failed).toBe(1);
});
