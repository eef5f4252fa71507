/** The parts of a report's page: one HTML file that loads nothing. Pure. */
import { escaped } from "./charts.ts";
import { style } from "./style.ts";
import type { Verdict } from "./verdict.ts";

export type Cell = string | { readonly text: string; readonly kind: string };

/** Widths in CSS pixels for which each chart is drawn; the style shows one of them. */
const widths = { wide: 960, narrow: 350 } as const;

/** `2026-11-29 13:00 UTC`. */
export const dateOf = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ")} UTC`;
export const euro = (monthly: number): string => `€ ${monthly.toFixed(2)}`;
export const shownMilliseconds = (value: number | undefined): string =>
  value === undefined ? "–" : `${Math.round(value)} ms`;
/** A cell of a column of numbers. */
export const number = (text: string | number): Cell => ({ text: String(text), kind: "number" });

/** The whole file. */
export const document = (title: string, parts: readonly string[]): string =>
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

export const section = (title: string, content: string | readonly string[]): string =>
  `<h2>${escaped(title)}</h2>\n${[content].flat().join("\n")}`;

export const verdictBox = ({ level, sentences }: Verdict): string =>
  `<div class="verdict ${level}">${sentences.map((sentence) => escaped(sentence)).join(" ")}</div>`;

export function table(heads: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const cell = (tag: string, value: Cell) =>
    typeof value === "string"
      ? `<${tag}>${escaped(value)}</${tag}>`
      : `<${tag} class="${value.kind}">${escaped(value.text)}</${tag}>`;
  const line = (tag: string, row: readonly Cell[]) => `<tr>${row.map((value) => cell(tag, value)).join("")}</tr>`;
  return `<div class="scroll"><table>\n${line("th", heads)}\n${rows.map((row) => line("td", row)).join("\n")}\n</table></div>`;
}

export const legend = (entries: Readonly<Record<string, string>>): string =>
  `<div class="legend">${Object.entries(entries)
    .map(([kind, text]) => `<span><i class="${kind}"></i>${escaped(text)}</span>`)
    .join("")}</div>`;

export const tiles = (all: readonly (readonly [value: string, what: string])[]): string =>
  `<div class="tiles">${all
    .map(([value, what]) => `<div class="tile"><b>${escaped(value)}</b><span>${escaped(what)}</span></div>`)
    .join("")}</div>`;

/** A chart in both widths. @param draw gets a width, and how many windows of time have room there */
export const chart = (draw: (width: number, windows: number) => string): string =>
  `<div class="wide">${draw(widths.wide, 130)}</div>\n<div class="narrow">${draw(widths.narrow, 60)}</div>`;

/** A picture within the file. */
export function picture(svg: string, caption: string): string {
  const width = /<svg width="([\d.]+)pt"/.exec(svg)?.[1];
  const size = width === undefined ? "" : ` width="${Math.round((Number(width) * 4) / 3)}"`;
  const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
  return `<figure><div class="scroll"><img${size} alt="${escaped(caption)}" src="${source}"></div><figcaption>${escaped(caption)}</figcaption></figure>`;
}

/** The commands that do it again, and the versions that it was done with. */
export const repetition = (
  commands: readonly string[],
  notes: readonly string[],
  versions: readonly { readonly what: string; readonly version: string }[],
): string[] => [
  section("How to repeat it", [
    `<pre>${commands.map(escaped).join("\n")}</pre>`,
    ...notes.map((note) => `<p class="faint">${escaped(note)}</p>`),
  ]),
  section(
    "Versions",
    table(
      ["", "version"],
      versions.map(({ what, version }) => [what, version]),
    ),
  ),
];
