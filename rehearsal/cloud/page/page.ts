/** The status page of a cloud: one HTML file that loads nothing else, whose script brings its parts up to date. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commandFor } from "../commands.ts";
import { healthOf, healthOfTarget, problemsOf, type Problem } from "../health.ts";
import type { Status } from "../status.ts";
import { faultsSection } from "./faults.ts";
import { counted, type Html, html, raw } from "./html.ts";
import { changesSection, clientsSection } from "./news.ts";
import { pictureSection } from "./picture.ts";
import { state, upSection } from "./up.ts";

const own = (file: string): Html => raw(readFileSync(join(import.meta.dirname, file), "utf8"));
const parts = { style: own("style.css"), script: own("browser.js") };

export interface PageOptions {
  /** Of this answer alone: what has another one is neither run nor applied. */
  readonly nonce: string;
  /** The cloud's token, for the script's own calls. */
  readonly token: string;
  /** Names of Hetzner's locations. */
  readonly locations: readonly string[];
}

/** Headers of both: kept nowhere, and for no other site. */
export const updateHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  // The page's address has the token.
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** Headers of the page: nothing comes from elsewhere, no script but its own runs, and no other page may frame it. */
export const pageHeaders = (nonce: string): Readonly<Record<string, string>> => ({
  ...updateHeaders,
  "content-security-policy": [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src data:",
    "connect-src 'self'",
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
  ].join("; "),
});

/** A circle in the colour of the worst that is. */
const icon = (isWell: boolean): string =>
  `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="${isWell ? "#1a7f37" : "#cf222e"}"/></svg>`,
  )}`;

/** What the script brings up to date: title, icon and contents. */
function liveParts(status: Status, { locations }: Pick<PageOptions, "locations">): { head: Html; main: Html } {
  const problems = problemsOf(status);
  const bad = problems.filter(({ health }) => health === "bad").length;
  const section = (id: string, title: string, body: Html): Html =>
    html`<section class="panel" id="${id}" aria-labelledby="title-of-${id}">
      <h2 id="title-of-${id}">${title}</h2>
      ${body}
    </section>`;
  return {
    head: html`<title>${bad > 0 ? `(${bad}) ` : ""}${status.instance} – rehearsal cloud</title>
      <link rel="icon" href="${icon(bad === 0)}" />`,
    main: html`<main>
      ${headOf(status, problems)}
      <div class="columns">
        <div>
          ${section("up", "What is up", upSection(status))}
          ${section("calls", "Calls by client", clientsSection(status))}
        </div>
        <div>
          ${section("changes", "What changed", changesSection(status))}
          ${section("faults", "Faults", faultsSection(status, locations))}
        </div>
      </div>
      ${section("picture", "Topology", pictureSection(status))}
    </main>`,
  };
}

/** The parts that change, for the script of a page that is shown already. */
export function updateOf(status: Status, options: Pick<PageOptions, "locations">): string {
  const { head, main } = liveParts(status, options);
  return html`<!doctype html>${head}${main}`.html;
}

export function pageOf(status: Status, options: PageOptions): string {
  const { head, main } = liveParts(status, options);
  const { nonce, token } = options;
  const cloud = { name: status.instance };
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${head}
        <style nonce="${nonce}">
          ${parts.style}
        </style>
      </head>
      <body data-token="${token}" data-up="${commandFor("up", cloud)}" data-status="${commandFor("status", cloud)}">
        <p id="silence" role="alert" hidden></p>
        ${main}
        <script nonce="${nonce}">
          ${parts.script};
        </script>
      </body>
    </html> `.html;
}

function headOf(status: Status, problems: readonly Problem[]): Html {
  const { instance, hetzner, cloudflare, machines, edge } = status;
  const places = [
    html`Hetzner <code>${hetzner}</code>`,
    html`Cloudflare <code>${cloudflare}</code>`,
    ...(edge === null ? [] : [html`edge <code>${edge}</code>`]),
    html`machines: ${machines}`,
  ];
  return html`<header id="head">
    <div class="title">
      <h1>Rehearsal cloud <b>${instance}</b></h1>
      <span id="live" class="faint"></span>
    </div>
    <p class="places">${places.map((place) => html`<span>${place}</span>`)}</p>
    ${verdictOf(status, problems)}${tilesOf(status)}
  </header>`;
}

function verdictOf({ servers, faults }: Status, problems: readonly Problem[]): Html {
  if (problems.length === 0) {
    const disturbed =
      faults.length === 0 ? "" : ` ${counted(faults.length, "fault")} ${faults.length === 1 ? "is" : "are"} on.`;
    const text = `${servers.length === 0 ? "There are no servers yet." : "Everything is up."}${disturbed}`;
    return html`<div id="verdict" class="verdict ${servers.length === 0 ? "none" : "good"}">${text}</div>`;
  }
  const worst = problems[0]?.health ?? "bad";
  const named = problems.slice(0, 6).map(({ what, state: is, health }) => html`<li>${what} ${state(is, health)}</li>`);
  const rest = problems.length > named.length ? html`<li>and ${problems.length - named.length} more</li>` : undefined;
  const title =
    worst === "bad"
      ? `${counted(problems.length, "thing")} not well`
      : `${counted(problems.length, "thing")} on the way`;
  return html`<div id="verdict" class="verdict ${worst}">
    <b>${title}</b>
    <ul>
      ${named}${rest}
    </ul>
  </div>`;
}

function tilesOf({ servers, balancers, volumes, records, faults, clients, totalCalls }: Status): Html {
  const targets = balancers.flatMap((one) => one.targets);
  const errors = clients.reduce((sum, one) => sum + one.errors, 0);
  const share = (all: number, well: number): string => (all === well ? String(all) : `${well} of ${all}`);
  const up = servers.filter(({ status }) => healthOf(status) === "good").length;
  const healthy = targets.filter((one) => healthOfTarget(one) === "good").length;
  const tiles: readonly (readonly [value: string, what: string, href: string, isBad: boolean])[] = [
    [
      share(servers.length, up),
      servers.length === 1 ? "server running" : "servers running",
      "#up",
      up < servers.length,
    ],
    [share(targets.length, healthy), "targets healthy", "#up", healthy < targets.length],
    [String(volumes.length), volumes.length === 1 ? "Volume" : "Volumes", "#up", false],
    [String(records.length), records.length === 1 ? "DNS record" : "DNS records", "#up", false],
    [String(faults.length), faults.length === 1 ? "fault on" : "faults on", "#faults", faults.length > 0],
    [
      errors === 0 ? String(totalCalls) : `${errors} of ${totalCalls}`,
      errors === 0 ? "calls" : "calls with an error",
      "#calls",
      errors > 0,
    ],
  ];
  return html`<nav class="tiles">
    ${tiles.map(
      ([value, what, href, isBad]) =>
        html`<a class="tile${isBad ? " bad" : ""}" href="${href}"><b>${value}</b><span>${what}</span></a>`,
    )}
  </nav>`;
}
