/** The report of a rehearsal as one HTML file that loads nothing: no script, font or picture from elsewhere. Pure. */
import { clock, escaped, type Frame, latencyChart, placesOf, requestsChart, stepsChart, titleOf } from "./charts.ts";
import { type Figures, figuresIn, type Span, spanOf, windowSeconds, windowsOf } from "./figures.ts";
import type { RehearsalRecord } from "./record.ts";
import { style } from "./style.ts";
import { disturbed, ledgerVerdict, type Verdict, verdictOf } from "./verdict.ts";

type Cell = string | { readonly text: string; readonly kind: string };

/** Widths in CSS pixels for which each chart is drawn; the style shows one of them. */
const widths = { wide: 960, narrow: 350 } as const;

const dateOf = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ")} UTC`;
const euro = (monthly: number): string => `€ ${monthly.toFixed(2)}`;
const milliseconds = (value: number | undefined): string => (value === undefined ? "–" : `${Math.round(value)} ms`);
const number = (text: string | number): Cell => ({ text: String(text), kind: "number" });

export const nameOf = ({ stack, before, after }: RehearsalRecord): string =>
  before.phase === after.phase ? `${stack} in phase ${after.phase}` : `${stack} from ${before.phase} to ${after.phase}`;

export function pageOf(record: RehearsalRecord): string {
  const title = `Rehearsal: ${nameOf(record)}`;
  return document(title, [
    `<h1>${escaped(title)}</h1>`,
    `<p class="faint">${dateOf(record.began)} · on the rehearsal cloud <b>${escaped(record.cloud)}</b>: emulated Hetzner and Cloudflare APIs, real servers in containers, the real engine and program</p>`,
    verdictBox(verdictOf(record)),
    tiles(record),
    section("What the engine did, and what visitors saw", course(record)),
    section("Requests", requests(record)),
    section("The ledger", ledger(record)),
    section("What keeps data", kept(record)),
    section("Pictures", pictures(record)),
    section("€ per month", costs(record)),
    section("Every step of the engine", steps(record)),
    section("How to repeat it", [
      `<pre>${record.commands.map(escaped).join("\n")}</pre>`,
      ...record.notes.map((note) => `<p class="faint">${escaped(note)}</p>`),
    ]),
    section(
      "Versions",
      table(
        ["", "version"],
        record.versions.map(({ what, version }) => [what, version]),
      ),
    ),
  ]);
}

const document = (title: string, parts: readonly string[]): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${parts.join("\n")}
</main>
</body>
</html>
`;

const section = (title: string, content: string | readonly string[]): string =>
  `<h2>${escaped(title)}</h2>\n${[content].flat().join("\n")}`;

const verdictBox = ({ level, sentences }: Verdict): string =>
  `<div class="verdict ${level}">${sentences.map((sentence) => escaped(sentence)).join(" ")}</div>`;

function table(heads: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const cell = (tag: string, value: Cell) =>
    typeof value === "string"
      ? `<${tag}>${escaped(value)}</${tag}>`
      : `<${tag} class="${value.kind}">${escaped(value.text)}</${tag}>`;
  const line = (tag: string, row: readonly Cell[]) => `<tr>${row.map((value) => cell(tag, value)).join("")}</tr>`;
  return `<div class="scroll"><table>\n${line("th", heads)}\n${rows.map((row) => line("td", row)).join("\n")}\n</table></div>`;
}

function tiles({ update, load, before, after }: RehearsalRecord): string {
  const answered = Object.values(load.answered).reduce((sum, each) => sum + each, 0);
  const during = figuresIn(load, update);
  const { lost, doubled, acknowledged } = load.ledger;
  const all: readonly (readonly [value: string, what: string])[] = [
    [`${Math.round((update.to - update.from) / 1000)} s`, "the update took"],
    [String(answered), "requests answered"],
    [String(load.failures.length), "requests failed"],
    [`${lost.length + doubled.length} of ${acknowledged}`, "orders lost or doubled"],
    [milliseconds(during.median), `median during it, ${milliseconds(during.p99)} at 99 %`],
    [euro(after.monthly), `a month, ${euro(before.monthly)} before`],
  ];
  const tile = ([value, what]: readonly [string, string]) =>
    `<div class="tile"><b>${escaped(value)}</b><span>${escaped(what)}</span></div>`;
  return `<div class="tiles">${all.map(tile).join("")}</div>`;
}

const legend = (entries: Readonly<Record<string, string>>): string =>
  `<div class="legend">${Object.entries(entries)
    .map(([kind, text]) => `<span><i class="${kind}"></i>${escaped(text)}</span>`)
    .join("")}</div>`;

/** A chart in both widths. */
const chart = (draw: (width: number, windows: number) => string): string =>
  `<div class="wide">${draw(widths.wide, 130)}</div>\n<div class="narrow">${draw(widths.narrow, 60)}</div>`;

/** The charts, one below the other with the same time axis. */
function course({ update, load }: RehearsalRecord): string[] {
  const span = spanOf(load);
  const time: Span = { from: Math.min(span.from, update.from), to: Math.max(span.to, update.to) };
  const frame = (width: number): Frame => ({ width, time, marked: [{ ...update, label: "the update" }] });
  const windows = (most: number) => windowsOf(load, windowSeconds(span, most));
  // Percentiles need more requests in a window than a rate does.
  const longer = (most: number) => windowsOf(load, Math.max(10, windowSeconds(span, most / 2)));
  const used = new Set(update.steps.map(({ action }) => action));
  const words = { create: "created", update: "changed", replace: "replaced", delete: "deleted" } as const;
  const colours = Object.fromEntries(
    Object.entries(words).filter(([action]) => [...used].some((one) => one === action)),
  );
  return [
    "<p>Minutes and seconds since the load began; the update is shaded. Requests that run at the same time as the update are those of visitors during the move.</p>",
    `<h3>The engine: ${update.steps.length} steps, ${update.unchanged} resources unchanged</h3>`,
    legend({ ...colours, ...(update.steps.some(({ failed }) => failed) && { failed: "failed" }) }),
    chart((width) => stepsChart(frame(width), update.steps)),
    `<h3>Requests per second</h3>`,
    legend({ answered: "answered", ...(load.failures.length > 0 && { failed: "failed" }) }),
    chart((width, most) => requestsChart(frame(width), windows(most))),
    `<h3>Response times</h3>`,
    legend({ median: "median", p95: "95 %", slowest: "slowest" }),
    chart((width, most) => latencyChart(frame(width), longer(most))),
  ];
}

function requests({ update, load, rates }: RehearsalRecord): string[] {
  const span = spanOf(load);
  const parts: readonly (readonly [string, Span])[] = [
    ["before the update", { from: span.from, to: update.from }],
    ["during it", { from: update.from, to: update.to }],
    ["after it", { from: update.to, to: span.to + 1 }],
  ];
  const row = (what: string, one: Figures): Cell[] => [
    what,
    number(`${Math.round((one.to - one.from) / 1000)} s`),
    number(one.answered),
    one.failed > 0 ? { text: String(one.failed), kind: "number bad" } : number(0),
    ...[one.median, one.p95, one.p99, one.slowest].map((value) => number(milliseconds(value))),
  ];
  const heads: Cell[] = ["", ...["time", "answered", "failed", "median", "95 %", "99 %", "slowest"].map(number)];
  const sent = Object.entries(rates).map(([what, rate]) =>
    what === "sockets" ? `${rate} WebSockets open` : `${rate} ${what} per second`,
  );
  return [
    `<p>Sent from this machine through Cloudflare's edge: ${escaped(sent.join(", "))}. Each request is sent at its time, however long others take. ${load.reconnected} WebSockets were closed by the platform in good order, as a deploy does, and opened again.</p>`,
    table(
      heads,
      parts.map(([what, part]) => row(what, figuresIn(load, part))),
    ),
    ...failures(load.failures, span.from),
  ];
}

const mostFailures = 60;

function failures(all: RehearsalRecord["load"]["failures"], start: number): string[] {
  if (all.length === 0) return ["<p>No request failed.</p>"];
  const rows = all
    .slice(0, mostFailures)
    .map(({ began, time, what, why }): Cell[] => [
      number(clock(Date.parse(began) - start)),
      number(`${((Date.parse(time) - Date.parse(began)) / 1000).toFixed(1)} s`),
      what,
      { text: why, kind: "long" },
    ]);
  const more = all.length > mostFailures ? [`<p class="faint">and ${all.length - mostFailures} more</p>`] : [];
  return [`<h3>Requests that failed</h3>`, table([number("began"), number("after"), "what", "why"], rows), ...more];
}

function ledger({ load }: RehearsalRecord): string[] {
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
  const picture = (svg: string, caption: string) => {
    const width = /<svg width="([\d.]+)pt"/.exec(svg)?.[1];
    const size = width === undefined ? "" : ` width="${Math.round((Number(width) * 4) / 3)}"`;
    return `<figure><div class="scroll"><img${size} alt="${escaped(caption)}" src="data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}"></div><figcaption>${escaped(caption)}</figcaption></figure>`;
  };
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
