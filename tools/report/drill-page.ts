/** The report of drills, as one HTML file that loads nothing: each with what went wrong, and what visitors saw. Pure. */
import { escaped, type Frame } from "./charts.ts";
import type { DrillRecord, Episode } from "./drill-record.ts";
import { orderPause, spanOf } from "./figures.ts";
import { type Cell, dateOf, document, number, picture, repetition, section, table, tiles, verdictBox } from "./html.ts";
import { failuresTable, figuresTable, loadCharts, sentText } from "./load-parts.ts";
import { ledgerVerdict, type Level, plural, type Verdict, worst } from "./verdict.ts";

/** What a drill has shown. */
export function episodeVerdict({ problem, mayLose, load, title }: Episode): Verdict {
  const ledger = ledgerVerdict(load);
  const { lost, doubled } = load.ledger;
  // Orders that may be missing are told, and are no failure of the drill.
  const isTolerated = mayLose !== null && ledger.level === "bad" && doubled.length === 0 && lost.length > 0;
  const orders: Verdict = isTolerated ? { level: "attention", sentences: [...ledger.sentences, mayLose] } : ledger;
  const done: Verdict =
    problem === null
      ? { level: "good", sentences: [`${title}: the platform was well again.`] }
      : { level: "bad", sentences: [`${title}: ${problem}`] };
  return { level: worst([done.level, orders.level]), sentences: [...done.sentences, ...orders.sentences] };
}

const words: Readonly<Record<Level, string>> = { good: "passed", attention: "passed, with a remark", bad: "FAILED" };

/** All drills together. */
export function drillsVerdict({ episodes, left }: Pick<DrillRecord, "episodes" | "left">): Verdict {
  const levels = episodes.map((episode) => episodeVerdict(episode).level);
  const failed = episodes.filter((_, index) => levels[index] === "bad");
  const acknowledged = episodes.reduce((sum, { load }) => sum + load.ledger.acknowledged, 0);
  const lost = episodes.reduce((sum, { load }) => sum + load.ledger.lost.length, 0);
  const result =
    failed.length === 0
      ? `${episodes.length === 1 ? "The drill" : `All ${episodes.length} drills`} passed.`
      : `${failed.length} of ${plural(episodes.length, "drill")} failed: ${failed.map(({ name }) => name).join(", ")}.`;
  return {
    level: episodes.length === 0 ? "attention" : worst(levels),
    sentences: [
      result,
      `Of ${plural(acknowledged, "acknowledged order")} ${lost === 0 ? "none is" : lost === 1 ? "one is" : `${lost} are`} missing.`,
      ...left.map(({ title, why }) => `Not done: ${title} (${why}).`),
    ],
  };
}

const seconds = (value: number | undefined): string => (value === undefined ? "to the end" : `${value.toFixed(1)} s`);

export function drillPageOf(record: DrillRecord): string {
  const title = `Drills: ${record.stack} in phase ${record.phase}`;
  return document(title, [
    `<h1>${escaped(title)}</h1>`,
    `<p class="faint">${dateOf(record.began)} · on the rehearsal cloud <b>${escaped(record.cloud)}</b>: emulated Hetzner and Cloudflare APIs, real servers in containers, the real engine and program</p>`,
    verdictBox(drillsVerdict(record)),
    overview(record),
    `<p class="faint">During each drill, from this machine through the rehearsal's Cloudflare: ${escaped(sentText(record.rates))}. Each order that the platform acknowledged was noted, and looked up after the drill.</p>`,
    ...record.episodes.map(episodePart),
    section("The platform", picture(record.picture, `Phase ${record.phase}, before the drills`)),
    ...repetition(record.commands, record.notes, record.versions),
  ]);
}

function overview({ episodes }: DrillRecord): string {
  const row = (episode: Episode): Cell[] => {
    const { name, load } = episode;
    const { level } = episodeVerdict(episode);
    const { acknowledged, lost, doubled, unconfirmed } = load.ledger;
    const missing = lost.length + doubled.length + unconfirmed.length;
    return [
      { text: words[level], kind: level },
      name,
      number(seconds(orderPause(load))),
      number(load.failures.length),
      number(acknowledged),
      missing > 0 ? { text: String(missing), kind: "number bad" } : number(0),
    ];
  };
  const heads = ["no orders for", "failed requests", "orders", "lost, doubled, undone"].map(number);
  return table(["result", "drill", ...heads], episodes.map(row));
}

function episodePart(episode: Episode): string {
  const { name, title, about, spans, facts, output, load } = episode;
  const time = spanOf(load);
  // Without those at the border of each other the labels would hide each other.
  const frame = (width: number): Frame => ({ width, time, marked: spans });
  const answered = Object.values(load.answered).reduce((sum, each) => sum + each, 0);
  const took = spans.map(({ label, from, to }): Cell[] => [label, number(seconds((to - from) / 1000))]);
  return section(`${title} (${name})`, [
    `<p>${escaped(about)}</p>`,
    verdictBox(episodeVerdict(episode)),
    tiles([
      [seconds(orderPause(load)), "longest time without an accepted order"],
      [String(load.failures.length), "requests failed"],
      [String(answered), "requests answered"],
      ...facts.map(({ what, value }) => [value, what] as const),
    ]),
    ...loadCharts(load, frame),
    table(["what", number("took")], took),
    figuresTable(load, [["all of it", { from: time.from, to: time.to + 1 }]]),
    `<details><summary>${load.failures.length} requests that failed</summary>${failuresTable(load, time.from).join("\n")}</details>`,
    ...(output === "" ? [] : [`<details><summary>what was printed</summary><pre>${escaped(output)}</pre></details>`]),
  ]);
}
