/** What visitors saw, as charts and tables of a report. Pure. */
import type { LoadReport } from "../../rehearsal/load/process.ts";
import { clock, type Frame, latencyChart, requestsChart } from "./charts.ts";
import { type Figures, figuresIn, momentOf, type Span, spanOf, windowSeconds, windowsOf } from "./figures.ts";
import { type Cell, chart, legend, number, shownMilliseconds, table, verdictBox } from "./html.ts";
import { ledgerVerdict } from "./verdict.ts";

/** Requests per second and response times, one below the other. @param frame for a width */
export function loadCharts(load: LoadReport, frame: (width: number) => Frame): string[] {
  const span = spanOf(load);
  const windows = (most: number) => windowsOf(load, windowSeconds(span, most));
  // Percentiles need more requests in a window than a rate does.
  const longer = (most: number) => windowsOf(load, Math.max(10, windowSeconds(span, most / 2)));
  return [
    "<h3>Requests per second</h3>",
    legend({ answered: "answered", ...(load.failures.length > 0 && { failed: "failed" }) }),
    chart((width, most) => requestsChart(frame(width), windows(most))),
    "<h3>Response times</h3>",
    legend({ median: "median", p95: "95 %", slowest: "slowest" }),
    chart((width, most) => latencyChart(frame(width), longer(most))),
  ];
}

/** What the load sends, in words. */
export const sentText = (rates: Readonly<Record<string, number>>): string =>
  Object.entries(rates)
    .map(([what, rate]) => (what === "sockets" ? `${rate} WebSockets open` : `${rate} ${what} per second`))
    .join(", ");

/** The figures of each part of a load. */
export function figuresTable(load: LoadReport, parts: readonly (readonly [what: string, span: Span])[]): string {
  const row = (what: string, one: Figures): Cell[] => [
    what,
    number(`${Math.round((one.to - one.from) / 1000)} s`),
    number(one.answered),
    one.failed > 0 ? { text: String(one.failed), kind: "number bad" } : number(0),
    ...[one.median, one.p95, one.p99, one.slowest].map((value) => number(shownMilliseconds(value))),
  ];
  const heads = ["time", "answered", "failed", "median", "95 %", "99 %", "slowest"].map(number);
  return table(
    ["", ...heads],
    parts.map(([what, part]) => row(what, figuresIn(load, part))),
  );
}

const mostFailures = 60;

/** The requests that failed. @param start from which times are counted */
export function failuresTable({ failures: all }: LoadReport, start: number): string[] {
  if (all.length === 0) return ["<p>No request failed.</p>"];
  const rows = all
    .slice(0, mostFailures)
    .map((failure): Cell[] => [
      number(clock(momentOf(failure) - start)),
      number(`${((Date.parse(failure.time) - Date.parse(failure.began)) / 1000).toFixed(1)} s`),
      failure.what,
      { text: failure.why, kind: "long" },
    ]);
  const more = all.length > mostFailures ? [`<p class="faint">and ${all.length - mostFailures} more</p>`] : [];
  return [`<h3>Requests that failed</h3>`, table([number("at"), number("after"), "what", "why"], rows), ...more];
}

/** What the ledger says. */
export function ledgerParts(load: LoadReport): string[] {
  const { acknowledged, lost, doubled, unconfirmed } = load.ledger;
  const bad = (references: readonly string[]): Cell => ({
    text: String(references.length),
    kind: references.length > 0 ? "number bad" : "number",
  });
  return [
    `<p>Each order that the platform acknowledged (201) was noted, and looked up after the load had ended.</p>`,
    verdictBox(ledgerVerdict(load)),
    table(
      ["orders", number("")],
      [
        ["acknowledged", number(acknowledged)],
        ["lost", bad(lost)],
        ["there twice", bad(doubled)],
        ["whose task was not run", bad(unconfirmed)],
      ],
    ),
  ];
}
