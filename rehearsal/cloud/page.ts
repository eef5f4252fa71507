/** Renders the status page of a cloud as HTML without scripts. Pure. */
import { formatFault } from "./fault-syntax.ts";
import type { Status } from "./status.ts";

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0; } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p, small, th { color: #888; } p { margin: .3rem 0; } a { color: inherit; }
section { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 600; }
th, td { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th, td:first-child, .good, .bad, .busy { white-space: nowrap; }
code { font: 12.5px ui-monospace, monospace; background: var(--soft); padding: .05rem .3rem; border-radius: 3px; }
.good { color: #1a8f4c; } .bad { color: #d33; } .busy { color: #c80; }
`;

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text: string): string => text.replace(/[&<>"]/g, (sign) => escapes[sign] ?? sign);

const tone = (state: string): string =>
  ["running", "healthy"].includes(state) ? "good" : ["off", "unhealthy"].includes(state) ? "bad" : "busy";
const state = (text: string): string => `<span class="${tone(text)}">● ${escape(text)}</span>`;
const code = (text: string): string => `<code>${escape(text)}</code>`;

interface Section {
  readonly title: string;
  /** Number shown beside the title. */
  readonly count: number;
  readonly heads: readonly string[];
  /** Cells are HTML. */
  readonly rows: readonly (readonly string[])[];
}

const anchorOf = ({ title }: Section): string => title.toLowerCase().replaceAll(" ", "-");

/** A section with a table, or with "none" when it has no rows. */
function sectionOf(section: Section): string {
  const { title, count, heads, rows } = section;
  const head = heads.map((text) => `<th>${text}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n");
  const table = rows.length === 0 ? "<p>none</p>" : `<table><tr>${head}</tr>\n${body}</table>`;
  return `<section id="${anchorOf(section)}"><h2>${title} <small>${count}</small></h2>${table}</section>`;
}

function sectionsOf({ servers, balancers, records, buckets, faults, calls, totalCalls }: Status): Section[] {
  return [
    {
      title: "Servers",
      count: servers.length,
      heads: ["Name", "State", "Public", "Private", "Type", "Volumes"],
      rows: servers.map((one) => [
        `${escape(one.name)} <small>${one.id}</small>`,
        state(one.status),
        one.address === null ? "" : code(one.address),
        one.private.map(code).join(" "),
        escape(one.type),
        escape(one.volumes.join(", ")),
      ]),
    },
    {
      title: "Load balancers",
      count: balancers.length,
      heads: ["Name", "Public", "Targets"],
      rows: balancers.map((one) => [
        `${escape(one.name)} <small>${one.id}</small>`,
        one.address === null ? "" : code(one.address),
        one.targets
          .map(({ name, health }) => {
            const ports = health.map(({ listen_port: port, status: text }) => `${port}&nbsp;${state(text)}`);
            return `${escape(name)} ${ports.join(" ")}`;
          })
          .join("<br>"),
      ]),
    },
    {
      title: "DNS records",
      count: records.length,
      heads: ["Name", "Type", "Content", "Proxied"],
      rows: records.map((one) => [escape(one.name), escape(one.type), code(one.content), one.proxied ? "yes" : "no"]),
    },
    { title: "Buckets", count: buckets.length, heads: ["Name"], rows: buckets.map((name) => [escape(name)]) },
    {
      title: "Faults",
      count: faults.length,
      heads: ["Number", "Fault"],
      rows: faults.map((one) => [String(one.id), code(formatFault(one))]),
    },
    {
      title: "Last calls",
      count: totalCalls,
      heads: ["Time", "Call", "Status", "ms"],
      rows: calls
        .slice(0, 20)
        .map((one) => [
          one.time.slice(11, 19),
          [code(`${one.method} ${one.path}`), ...(one.problem === null ? [] : [escape(one.problem)])].join(" "),
          `<span class="${one.status > 0 && one.status < 400 ? "good" : "bad"}">${one.status || "aborted"}</span>`,
          String(one.milliseconds),
        ]),
    },
  ];
}

export function pageOf(status: Status): string {
  const sections = sectionsOf(status);
  const links = sections.map((one) => `<a href="#${anchorOf(one)}">${one.title}</a> ${one.count}`);
  const { instance, hetzner, cloudflare, machines, edge } = status;
  const places = [
    `Hetzner ${code(hetzner)}`,
    `Cloudflare ${code(cloudflare)}`,
    `machines: ${escape(machines)}`,
    ...(edge === null ? [] : [`edge ${code(edge)}`]),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="3">
<title>Rehearsal cloud ${escape(instance)}</title><style>${style}</style></head>
<body><h1>Rehearsal cloud “${escape(instance)}”</h1>
<p>${places.join(" · ")}</p>
<p>${links.join(" · ")}</p>
${sections.map(sectionOf).join("\n")}
</body></html>
`;
}
