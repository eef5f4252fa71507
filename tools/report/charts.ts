/** Draws the charts of a report as SVG, for a given width: colours are classes of the page's style. Pure. */
import type { EngineStep } from "./engine-steps.ts";
import { elsewhere } from "./engine-steps.ts";
import type { Figures, Span } from "./figures.ts";

/** Text as XML and HTML show it. */
export const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** What all charts of one load share: their time and the span that is marked in them. */
export interface Frame {
  /** Width of the picture in CSS pixels. */
  readonly width: number;
  readonly time: Span;
  /** Spans that are shaded, such as an update; with a label only where there is room. */
  readonly marked: readonly (Span & { readonly label: string })[];
}

const left = 54;
const right = 10;
const charWidth = 6.6;

const rounded = (value: number): string => String(Math.round(value * 10) / 10);

const xOf = ({ width, time }: Frame, at: number): number => {
  const share = (Math.min(Math.max(at, time.from), time.to) - time.from) / Math.max(1, time.to - time.from);
  return left + share * (width - left - right);
};

/** `0:05`, `12:30`. */
export function clock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const tickSeconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/** Times for an axis, at least so many pixels apart. */
function ticksOf({ width, time }: Frame): number[] {
  const most = Math.max(2, Math.floor((width - left - right) / 64));
  const seconds = (time.to - time.from) / 1000;
  const step = tickSeconds.find((each) => seconds / each <= most) ?? 7200;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step * 1000);
}

function svg(width: number, height: number, label: string, parts: readonly string[]): string {
  return `<svg class="chart" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}">\n${parts.join("\n")}\n</svg>`;
}

function timeAxis(frame: Frame, y: number): string[] {
  return ticksOf(frame).map((at) => {
    const x = xOf(frame, frame.time.from + at);
    // A label at the right border would be cut.
    const anchor = x > frame.width - 24 ? "end" : "middle";
    return `<text class="axis" x="${rounded(anchor === "end" ? frame.width - 1 : x)}" y="${y + 17}" text-anchor="${anchor}">${clock(at)}</text>`;
  });
}

function marks(frame: Frame, top: number, bottom: number): string[] {
  return frame.marked.flatMap(({ from, to }) => {
    const [x, end] = [xOf(frame, from), xOf(frame, to)];
    return [
      `<rect class="marked" x="${rounded(x)}" y="${top}" width="${rounded(Math.max(1, end - x))}" height="${bottom - top}"/>`,
    ];
  });
}

/** The spans' names in a row of their own, above what they shade, where there is room before the next one. */
function markLabels(frame: Frame, y: number): string[] {
  return frame.marked.flatMap(({ from, label }, index) => {
    const next = frame.marked[index + 1];
    const x = xOf(frame, from);
    const room = (next ? xOf(frame, next.from) - 6 : frame.width) - x;
    if (label.length * charWidth > room) return [];
    return [`<text class="axis" x="${rounded(x)}" y="${y}">${escaped(label)}</text>`];
  });
}

/** Values for an axis from 0, about four of them. */
export function scaleOf(most: number): number[] {
  const rough = Math.max(most, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? 10 * power;
  return Array.from(
    { length: Math.ceil(Math.max(most, 1) / step) + 1 },
    (_, index) => Math.round(index * step * 100) / 100,
  );
}

/** Requests per second in each window: answered ones, and above them those that failed. */
export function requestsChart(frame: Frame, windows: readonly Figures[]): string {
  const [top, height] = [22, 110];
  const bottom = top + height;
  const rateOf = ({ answered, failed, from, to }: Figures) => (answered + failed) / ((to - from) / 1000);
  const scale = scaleOf(Math.max(...windows.map(rateOf)));
  const most = scale.at(-1) ?? 1;
  const y = (value: number) => bottom - (value / most) * height;
  const bars = windows.flatMap((window) => {
    const seconds = (window.to - window.from) / 1000;
    const [x, end] = [xOf(frame, window.from), xOf(frame, window.to)];
    const width = rounded(Math.max(0.5, end - x - (end - x > 4 ? 1 : 0)));
    const [good, all] = [window.answered / seconds, rateOf(window)];
    const bar = (kind: string, from: number, to: number, what: string) =>
      to > from
        ? [
            `<rect class="${kind}" x="${rounded(x)}" y="${rounded(y(to))}" width="${width}" height="${rounded(y(from) - y(to))}"><title>${clock(window.from - frame.time.from)}: ${what}</title></rect>`,
          ]
        : [];
    return [
      ...bar("answered", 0, good, `${rounded(good)} answered per second`),
      ...bar("failed", good, all, `${window.failed} failed`),
    ];
  });
  return svg(frame.width, bottom + 23, "Requests per second over time", [
    ...marks(frame, top, bottom),
    ...markLabels(frame, 13),
    ...scale.map((value) => gridLine(frame, y(value), String(value))),
    ...bars,
    ...timeAxis(frame, bottom),
  ]);
}

const gridLine = ({ width }: Frame, y: number, label: string): string =>
  `<line class="grid" x1="${left}" x2="${width - right}" y1="${rounded(y)}" y2="${rounded(y)}"/><text class="axis" x="${left - 6}" y="${rounded(y + 4)}" text-anchor="end">${label}</text>`;

/** Response times in each window on a logarithmic scale: the slowest, 95 % and the median. */
export function latencyChart(frame: Frame, windows: readonly Figures[]): string {
  const [top, height] = [8, 120];
  const bottom = top + height;
  const all = windows.flatMap(({ median, slowest }) => [median ?? [], slowest ?? []].flat()).filter((each) => each > 0);
  const low = Math.floor(Math.log10(Math.max(1, Math.min(...all, 1000))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...all, 1))));
  const y = (value: number) => bottom - ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * height;
  const middle = ({ from, to }: Figures) => xOf(frame, (from + to) / 2);
  const line = (kind: string, of: (window: Figures) => number | undefined) => {
    const runs: string[][] = [[]];
    for (const window of windows) {
      const value = of(window);
      // Without a request there is no time: the line has a gap.
      if (value === undefined) runs.push([]);
      else runs.at(-1)?.push(`${rounded(middle(window))},${rounded(y(value))}`);
    }
    return runs
      .filter((points) => points.length > 0)
      .map((points) =>
        points.length > 1
          ? `<polyline class="line ${kind}" points="${points.join(" ")}"/>`
          : `<circle class="dot ${kind}" cx="${points[0]?.split(",")[0] ?? ""}" cy="${points[0]?.split(",")[1] ?? ""}" r="2"/>`,
      );
  };
  const powers = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  return svg(frame.width, bottom + 23, "Response times over time", [
    ...marks(frame, top, bottom),
    ...powers.map((value) => gridLine(frame, y(value), value >= 1000 ? `${value / 1000} s` : `${value} ms`)),
    ...line("slowest", ({ slowest }) => slowest),
    ...line("p95", ({ p95 }) => p95),
    ...line("median", ({ median }) => median),
    ...timeAxis(frame, bottom),
  ]);
}

/** Steps that overlap are drawn below each other: the row of each step. */
export function rowsOf<One extends Span>(steps: readonly One[]): { readonly step: One; readonly row: number }[] {
  const ends: number[] = [];
  return [...steps]
    .sort((one, other) => one.from - other.from || other.to - one.to)
    .map((step) => {
      const found = ends.findIndex((end) => end <= step.from);
      const row = found === -1 ? ends.length : found;
      // A step that takes no time still takes room.
      ends[row] = Math.max(step.to, step.from + 1);
      return { step, row };
    });
}

/** What the engine did, a lane for each server and one for the rest. */
export function stepsChart(frame: Frame, steps: readonly EngineStep[]): string {
  const [rowHeight, titleHeight, gap] = [5, 16, 6];
  const parts: string[] = [];
  let y = 4;
  for (const place of placesOf(steps)) {
    const own = steps.filter((step) => step.place === place);
    parts.push(`<text class="lane" x="2" y="${y + 12}">${escaped(place)} · ${own.length}</text>`);
    y += titleHeight;
    const rows = rowsOf(own.map((step) => ({ ...step, to: Math.max(step.to, step.from + 1000) })));
    for (const { step, row } of rows) {
      const [x, end] = [xOf(frame, step.from), xOf(frame, step.to)];
      const top = y + row * rowHeight;
      parts.push(
        `<rect class="step ${step.failed ? "failed" : step.action}" x="${rounded(x)}" y="${top}" width="${rounded(Math.max(2, end - x))}" height="${rowHeight - 1}" rx="1"><title>${escaped(titleOf(step, frame.time.from))}</title></rect>`,
      );
    }
    y += (Math.max(...rows.map(({ row }) => row)) + 1) * rowHeight + gap;
  }
  return svg(frame.width, y + 23, "What the engine did over time", [
    ...marks(frame, 0, y),
    ...ticksOf(frame).map((at) => {
      const x = rounded(xOf(frame, frame.time.from + at));
      return `<line class="grid" x1="${x}" x2="${x}" y1="0" y2="${y}"/>`;
    }),
    ...parts,
    ...timeAxis(frame, y),
  ]);
}

export const titleOf = ({ action, resource, from, to, failed }: EngineStep, start: number): string =>
  `${clock(from - start)}–${clock(to - start)} ${action} ${resource}${failed ? ": failed" : ""}`;

/** The places in the order of their names, the rest last. */
export const placesOf = (steps: readonly EngineStep[]): string[] =>
  [...new Set(steps.map(({ place }) => place))].sort(
    (one, other) => Number(one === elsewhere) - Number(other === elsewhere) || one.localeCompare(other),
  );
