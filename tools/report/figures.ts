/** Numbers of a load in windows of time: requests per second, percentiles, failures. Pure. */
import type { LoadReport } from "../../rehearsal/load/process.ts";

/** A span of time, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The load during a window; without a request, its percentiles are undefined. */
export interface Figures extends Span {
  readonly answered: number;
  readonly perSecond: number;
  readonly failed: number;
  /** Milliseconds. */
  readonly median: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  readonly slowest: number | undefined;
}

/** The value that a share of the sorted values is below or equal to. @param share 0 to 1 */
export function percentile(sorted: readonly number[], share: number): number | undefined {
  if (sorted.length === 0) return undefined;
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** When a failure happened, in milliseconds since 1970: a request by its start, a WebSocket when it broke off. */
export const momentOf = ({ what, began, time }: LoadReport["failures"][number]): number =>
  Date.parse(what === "WebSocket" ? time : began);

/** The load within a span: each request by its start. */
export function figuresIn({ began, requests, failures }: LoadReport, { from, to }: Span): Figures {
  const isIn = (at: number) => at >= from && at < to;
  const within = Object.values(requests)
    .flat()
    .filter(([at]) => isIn(began + at))
    .map(([, milliseconds]) => milliseconds)
    .sort((a, b) => a - b);
  return {
    ...{ from, to, answered: within.length, perSecond: to > from ? within.length / ((to - from) / 1000) : 0 },
    failed: failures.filter((one) => isIn(momentOf(one))).length,
    ...{ median: percentile(within, 0.5), p95: percentile(within, 0.95), p99: percentile(within, 0.99) },
    slowest: within.at(-1),
  };
}

/** From the load's first request to its last one. */
export function spanOf({ began, requests, failures }: LoadReport): Span {
  const ends = [
    ...Object.values(requests).flatMap((each) => each.map(([at, milliseconds]) => began + at + milliseconds)),
    ...failures.map(({ time }) => Date.parse(time)),
  ];
  return { from: began, to: ends.reduce((last, each) => Math.max(last, each), began) };
}

/** Lengths of a window in seconds. */
const lengths = [1, 2, 5, 10, 15, 30, 60, 120, 300];

/** The shortest length of a window, in seconds, with which a span has at most so many of them. */
export const windowSeconds = ({ from, to }: Span, most: number): number =>
  lengths.find((seconds) => (to - from) / 1000 / seconds <= most) ?? 600;

/** The load in windows of equal length; the last one is shorter, and left out if it is not half as long and not the only one. */
export function windowsOf(load: LoadReport, seconds: number): Figures[] {
  const { from, to } = spanOf(load);
  const count = Math.max(1, Math.round((to - from) / 1000 / seconds));
  return Array.from({ length: count }, (_, index) => {
    const start = from + index * seconds * 1000;
    return figuresIn(load, { from: start, to: Math.max(start + 1, Math.min(start + seconds * 1000, to + 1)) });
  });
}

/**
 * The longest time in seconds for which no order was accepted: from the first of several that failed one after the other to the
 * next that was answered, each by its start. 0: none failed; undefined: none was answered any more.
 */
export function orderPause({ began, requests, failures }: LoadReport): number | undefined {
  const failed = failures.filter(({ what }) => what === "order").map((one) => Date.parse(one.began));
  const answered = (requests["order"] ?? []).map(([at]) => began + at);
  if (failed.length > 0 && Math.max(...failed) > Math.max(...answered, 0)) return undefined;
  const pauses = failed.map((from) => {
    const until = Math.min(...answered.filter((at) => at > from));
    const since = Math.min(...failed.filter((at) => at > Math.max(0, ...answered.filter((each) => each < from))));
    return (until - since) / 1000;
  });
  return Math.max(0, ...pauses);
}
