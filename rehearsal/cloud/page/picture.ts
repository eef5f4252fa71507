/** Draws what a cloud has as SVG; layout.ts says where everything is. The page's style has the colours. Pure. */
import type { Status } from "../status.ts";
import { type Html, html } from "./html.ts";
import { type Bar, type Card, type Drawing, layoutOf, type LocationBox, type Path } from "./layout.ts";

/** Widths in CSS pixels for which the picture is drawn; the style shows the one that fits the window. */
const widths = { wide: 1200, middle: 700, narrow: 336 } as const;

export function pictureSection(status: Status): Html {
  const { servers, balancers, volumes, networks } = status;
  if ([servers, balancers, volumes, networks].every((all) => all.length === 0)) {
    return html`<p class="empty">There is no server, load balancer, Volume or network yet.</p>`;
  }
  return html`<p class="faint">
      Left of a card: the networks that it is in. Right of it: the load balancers whose target it is, in the colour of
      its health.
    </p>
    ${Object.entries(widths).map(
      ([name, width]) => html`<div class="picture ${name}">${svgOf(layoutOf(status, width))}</div>`,
    )}`;
}

const fixed = (value: number): string => String(Math.round(value * 10) / 10);

export function svgOf({ width, height, cards, locations, paths, bars }: Drawing): Html {
  return html`<svg
    viewBox="0 0 ${fixed(width)} ${height}"
    width="${fixed(width)}"
    height="${height}"
    role="img"
    aria-label="Servers by location, load balancers with their targets, Volumes and networks"
  >
    ${locations.map(locationOf)}${paths.map(pathOf)}${bars.map(barOf)}${cards.map(cardOf)}
  </svg>`;
}

function locationOf({ x, y, width, height, name, note, tiles, unwell }: LocationBox): Html {
  return html`<g class="location"
    ><rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}" rx="8" />
    <text x="${fixed(x + 20)}" y="${fixed(y + 20)}" class="name">${name} <tspan class="faint">${note}</tspan></text>
    ${tiles.map((tile) => html`<rect class="tile ${tile.health}" x="${fixed(tile.x)}" y="${fixed(tile.y)}" width="${tile.width}" height="${tile.height}" rx="2"><title>${tile.name}: ${tile.state}</title></rect>`)}
    ${unwell.map((line) => html`<text x="${fixed(line.x)}" y="${fixed(line.y)}" class="${line.look}">${line.text}</text>`)}</g
  >`;
}

function cardOf({ x, y, width, height, kind, name, health, lines }: Card): Html {
  const text = ({ text: shown, look }: Card["lines"][number], index: number): Html => {
    const line = y + 10 + index * 16;
    const volume = html`<path
      class="disk"
      d="M${fixed(x + 12)} ${fixed(line + 3)}a5 2 0 0 1 10 0v6a5 2 0 0 1 -10 0zm0 0a5 2 0 0 0 10 0"
    />`;
    return html`${look === "volume" ? volume : undefined}<text
        x="${fixed(x + (look === "volume" ? 28 : 12))}"
        y="${fixed(line + 11)}"
        class="${look}"
        >${shown}</text
      >`;
  };
  return html`<g class="card ${kind} ${health}"
    ><title>${name}</title
    ><rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}" rx="6" />
    <circle cx="${fixed(x + width - 14)}" cy="${fixed(y + 16)}" r="4.5" />${lines.map(text)}</g
  >`;
}

const pathOf = ({ points, kind, number, health, title }: Path): Html => {
  const d = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${fixed(x)} ${fixed(y)}`).join("");
  const [end = [0, 0]] = points.slice(-1);
  const [x, y] = end;
  const tip = `M${fixed(x)} ${fixed(y)}l6 -3.5v7z`;
  const arrow = kind === "target" ? html`<path class="tip ${health}" d="${tip}" />` : undefined;
  return html`<path class="line ${kind} ${kind === "network" ? `net${number % 3}` : health}" d="${d}"
      ><title>${title}</title></path
    >${arrow}`;
};

const barOf = ({ x, y, width, height, number, text }: Bar): Html =>
  html`<g class="bar net${number % 3}"
    ><rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${height}" rx="5" />
    <text x="${fixed(x + 16)}" y="${fixed(y + 17)}">${text}</text></g
  >`;
