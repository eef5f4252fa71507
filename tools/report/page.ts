/** The report of a move that was rehearsed under load, as one HTML file that loads nothing. Pure. */
import { escaped, type Frame, placesOf, stepsChart, titleOf } from "./charts.ts";
import { dataParts } from "./data-parts.ts";
import { figuresIn, type Span, spanOf } from "./figures.ts";
import {
  type Cell,
  chart,
  dateOf,
  document,
  euro,
  legend,
  number,
  picture,
  repetition,
  section,
  shownMilliseconds,
  table,
  tiles,
  verdictBox,
} from "./html.ts";
import { failuresTable, figuresTable, ledgerParts, loadCharts, sentText } from "./load-parts.ts";
import type { RehearsalRecord } from "./record.ts";
import { disturbed, verdictOf } from "./verdict.ts";

export const nameOf = ({ stack, before, after }: RehearsalRecord): string =>
  before.phase === after.phase ? `${stack} in phase ${after.phase}` : `${stack} from ${before.phase} to ${after.phase}`;

export function pageOf(record: RehearsalRecord): string {
  const title = `Rehearsal: ${nameOf(record)}`;
  return document(title, [
    `<h1>${escaped(title)}</h1>`,
    `<p class="faint">${dateOf(record.began)} · on the rehearsal cloud <b>${escaped(record.cloud)}</b>: emulated Hetzner and Cloudflare APIs, real servers in containers, the real engine and program</p>`,
    verdictBox(verdictOf(record)),
    tilesOf(record),
    section("What the engine did, and what visitors saw", course(record)),
    section("Requests", requests(record)),
    section("The ledger", ledgerParts(record.load)),
    section("What keeps data", kept(record)),
    ...(record.data === undefined ? [] : [section("Real data, and production", dataParts(record))]),
    section("Pictures", pictures(record)),
    section("€ per month", costs(record)),
    section("Every step of the engine", steps(record)),
    ...repetition(record.commands, record.notes, record.versions),
  ]);
}

function tilesOf({ update, load, before, after }: RehearsalRecord): string {
  const answered = Object.values(load.answered).reduce((sum, each) => sum + each, 0);
  const during = figuresIn(load, update);
  const { lost, doubled, acknowledged } = load.ledger;
  return tiles([
    [`${Math.round((update.to - update.from) / 1000)} s`, "the update took"],
    [String(answered), "requests answered"],
    [String(load.failures.length), "requests failed"],
    [`${lost.length + doubled.length} of ${acknowledged}`, "orders lost or doubled"],
    [shownMilliseconds(during.median), `median during it, ${shownMilliseconds(during.p99)} at 99 %`],
    [euro(after.monthly), `a month, ${euro(before.monthly)} before`],
  ]);
}

/** The charts, one below the other with the same time axis. */
function course({ update, load }: RehearsalRecord): string[] {
  const span = spanOf(load);
  const time: Span = { from: Math.min(span.from, update.from), to: Math.max(span.to, update.to) };
  const frame = (width: number): Frame => ({ width, time, marked: [{ ...update, label: "the update" }] });
  const used = new Set<string>(update.steps.map(({ action }) => action));
  const words = { create: "created", update: "changed", replace: "replaced", delete: "deleted" };
  const colours = Object.fromEntries(Object.entries(words).filter(([action]) => used.has(action)));
  const failed = update.steps.some((step) => step.failed);
  return [
    "<p>Minutes and seconds since the load began. The update is shaded: what is below it is what visitors saw during the move.</p>",
    `<h3>The engine: ${update.steps.length} steps, ${update.unchanged} resources unchanged</h3>`,
    legend({ ...colours, ...(failed && { failed: "failed" }) }),
    chart((width) => stepsChart(frame(width), update.steps)),
    ...loadCharts(load, frame),
  ];
}

function requests({ update, load, rates }: RehearsalRecord): string[] {
  const span = spanOf(load);
  return [
    `<p>Sent from this machine through the rehearsal's Cloudflare: ${escaped(sentText(rates))}. Each request is sent at its time, however long others take. The platform closed ${load.reconnected} WebSockets in good order, as a deploy does; they were opened again.</p>`,
    figuresTable(load, [
      ["before the update", { from: span.from, to: update.from }],
      ["during it", { from: update.from, to: update.to }],
      ["after it", { from: update.to, to: span.to + 1 }],
    ]),
    ...failuresTable(load, span.from),
  ];
}

function kept(record: RehearsalRecord): string[] {
  const changed = new Set(disturbed(record));
  return [
    "<p>The containers that keep data, before and after: the id of the container, and when it was started.</p>",
    table(
      ["service", "server", "container", "after the update"],
      record.kept.map((one) => [
        one.service,
        one.server,
        one.before,
        changed.has(one) ? { text: one.after, kind: "attention" } : "the same, not restarted",
      ]),
    ),
  ];
}

function pictures({ before, after, change }: RehearsalRecord): string[] {
  return [
    picture(before.picture, `Before: phase ${before.phase}`),
    picture(after.picture, `After: phase ${after.phase}`),
    ...(before.phase === after.phase ? [] : [picture(change, "The change: what is new, what changes, what goes")]),
  ];
}

function costs({ before, after, prices }: RehearsalRecord): string[] {
  const names = [...new Set([...before.costs, ...after.costs].map(({ what }) => what))];
  const of = (side: RehearsalRecord["before"], what: string): Cell[] => {
    const { count, monthly } = side.costs.find((each) => each.what === what) ?? { count: 0, monthly: 0 };
    return [number(count), number(euro(monthly))];
  };
  const difference = after.monthly - before.monthly;
  return [
    table(
      ["", number(""), number(`before (${before.phase})`), number(""), number(`after (${after.phase})`)],
      [
        ...names.map((what) => [what, ...of(before, what), ...of(after, what)]),
        ["together", number(""), number(euro(before.monthly)), number(""), number(euro(after.monthly))],
      ],
    ),
    `<p><b>${difference < 0 ? "−" : "+"}${euro(Math.abs(difference))} a month.</b> <span class="faint">Net, without traffic and Cloudflare; ${escaped(prices)}.</span></p>`,
  ];
}

function steps({ update, load }: RehearsalRecord): string[] {
  const start = Math.min(load.began, update.from);
  return [
    "<p>The engine notes whole seconds.</p>",
    ...placesOf(update.steps).map((place) => {
      const own = update.steps.filter((step) => step.place === place);
      const lines = own.map((step) => escaped(titleOf(step, start)));
      return `<details><summary>${escaped(place)}: ${own.length} steps</summary><pre>${lines.join("\n")}</pre></details>`;
    }),
  ];
}
