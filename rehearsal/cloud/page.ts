/** The page of a cloud: everything of its status, as HTML without scripts. Pure. */
import { type Status } from "./status.ts";

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0; } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p { margin: .3rem 0; color: #888; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 600; color: #888; }
th, td { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code { font: 12.5px ui-monospace, monospace; background: var(--soft); padding: .05rem .3rem; border-radius: 3px; }
.good { color: #1a8f4c; } .bad { color: #d33; } .busy { color: #c80; }
`;

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text: string): string => text.replace(/[&<>"]/g, (sign) => escapes[sign] ?? sign);

const tone = (state: string): string =>
  ["running", "healthy"].includes(state) ? "good" : ["off", "unhealthy"].includes(state) ? "bad" : "busy";
const state = (text: string): string => `<span class="${tone(text)}">● ${escape(text)}</span>`;
const code = (text: string): string => `<code>${escape(text)}</code>`;

/** A table, or a line that says that there is nothing. Cells are HTML. */
function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return `<h2>${title}</h2><p>none</p>`;
  const head = heads.map((text) => `<th>${text}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n");
  return `<h2>${title}</h2><table><tr>${head}</tr>\n${body}</table>`;
}

export function pageOf(status: Status): string {
  const { servers, balancers, records, buckets, faults, calls } = status;
  const sections = [
    table(
      "Servers",
      ["Name", "State", "Public", "Private", "Type", "Volumes"],
      servers.map((one) => [
        `${escape(one.name)} <small>${one.id}</small>`,
        state(one.status),
        one.address === null ? "" : code(one.address),
        one.private.map(code).join(" "),
        escape(one.type),
        escape(one.volumes.join(", ")),
      ]),
    ),
    table(
      "Load balancers",
      ["Name", "Public", "Targets"],
      balancers.map((one) => [
        escape(one.name),
        one.address === null ? "" : code(one.address),
        one.targets
          .map(({ name, health }) => {
            const ports = health.map(({ listen_port: port, status: text }) => `${port} ${state(text)}`);
            return `${escape(name)}: ${ports.join(", ")}`;
          })
          .join("<br>"),
      ]),
    ),
    table(
      "DNS",
      ["Name", "Type", "Content", "Proxied"],
      records.map((one) => [escape(one.name), one.type, code(one.content), one.proxied ? "yes" : "no"]),
    ),
    table(
      "Buckets",
      ["Name"],
      buckets.map((name) => [escape(name)]),
    ),
    table(
      "Faults",
      ["Id", "What"],
      faults.map((one) => [String(one.id), code(JSON.stringify({ ...one, id: undefined }))]),
    ),
    table(
      `Last calls <small>of ${status.totalCalls}</small>`,
      ["Time", "Call", "Status", "ms"],
      calls
        .slice(0, 20)
        .map((one) => [
          one.time.slice(11, 19),
          code(`${one.method} ${one.path}`),
          `<span class="${one.status < 400 ? "good" : "bad"}">${one.status}</span>`,
          String(one.milliseconds),
        ]),
    ),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<title>Rehearsal cloud ${escape(status.instance)}</title><style>${style}</style></head>
<body><h1>Rehearsal cloud “${escape(status.instance)}”</h1>
<p>Hetzner ${code(status.hetzner)} · Cloudflare ${code(status.cloudflare)} · machines: ${escape(status.machines)}${
    status.edge === null ? "" : ` · edge ${code(status.edge)}`
  }</p>
${sections.join("\n")}
</body></html>
`;
}
