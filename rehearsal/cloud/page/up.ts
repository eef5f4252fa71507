/** The page's part about what is up: servers, load balancers, Volumes, networks, DNS records, buckets; the unhealthy first. Pure. */
import { faultsOn, type Health, healthOf, healthOfBalancer, healthOfTarget, worstFirst, worstOf } from "../health.ts";
import type { Status } from "../status.ts";
import { counted, type Html, html, withRest } from "./html.ts";

/** Rows of a table that are shown at once. */
const shown = 12;

export const state = (text: string, health: Health = healthOf(text)): Html =>
  html`<span class="state ${health}">${text}</span>`;

const code = (text: string | null): Html =>
  text === null ? html`<span class="faint">none</span>` : html`<code>${text}</code>`;
const address = (text: string | null): Html =>
  text === null ? html`<span class="faint">none</span>` : html`<code class="address">${text}</code>`;
const codes = (all: readonly string[]): Html =>
  html`<span class="chips">${all.map((one) => html`<code>${one}</code>`)}</span>`;
const faultMarks = (kinds: readonly string[]): Html[] =>
  kinds.map((kind) => html` <span class="mark">fault ${kind}</span>`);

/** A table whose cells have their column's name, for narrow windows where each row is a block. */
function table(heads: readonly string[], rows: readonly (readonly Html[])[]): Html {
  const row = (cells: readonly Html[]): Html =>
    html`<tr>
      ${cells.map((cell, index) => html`<td data-head="${heads[index] ?? ""}">${cell}</td>`)}
    </tr>`;
  return html`<table>
    <thead>
      <tr>
        ${heads.map((head) => html`<th>${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(row)}
    </tbody>
  </table>`;
}

interface Kind {
  readonly key: string;
  readonly title: string;
  readonly note?: Html | undefined;
  readonly body: Html;
}

const kindOf = ({ key, title, note, body }: Kind): Html =>
  html`<section id="${key}">
    <h3>${title}${note ? html` <small>${note}</small>` : undefined}</h3>
    ${body}
  </section>`;

export function upSection(status: Status): Html {
  const { servers, balancers, volumes, networks, records, buckets } = status;
  if ([servers, balancers, volumes, networks, records, buckets].every((all) => all.length === 0)) {
    return html`<p class="empty">Nothing has been created yet. Point a client at the addresses above.</p>`;
  }
  return html`${[
    ...(servers.length > 0 ? [serversOf(status)] : []),
    ...(balancers.length > 0 ? [balancersOf(status)] : []),
    ...(volumes.length > 0 ? [volumesOf(status)] : []),
    ...(networks.length > 0 ? [networksOf(status)] : []),
    ...(records.length > 0 ? [recordsOf(status)] : []),
    ...(buckets.length > 0
      ? [kindOf({ key: "buckets", title: counted(buckets.length, "bucket"), body: codes(buckets) })]
      : []),
  ]}`;
}

function serversOf(status: Status): Html {
  const { servers } = status;
  const marks = (name: string) => faultsOn(status, "server", name);
  const health = (one: (typeof servers)[number]): Health => (marks(one.name).length > 0 ? "bad" : healthOf(one.status));
  const running = servers.filter(({ status: is }) => is === "running").length;
  const rows = worstFirst(servers, health).map((one) => [
    html`<b title="id ${one.id}">${one.name}</b>${faultMarks(marks(one.name))}`,
    state(one.status),
    html`${one.type}, ${one.location}`,
    address(one.address),
    one.private.length === 0 ? address(null) : html`<span class="chips">${one.private.map((ip) => address(ip))}</span>`,
  ]);
  const heads = ["Server", "State", "Type and location", "Public", "Private"];
  return kindOf({
    key: "servers",
    title: counted(servers.length, "server"),
    note: html`${running} running`,
    body: withRows("more-servers", rows, heads, "servers"),
  });
}

const withRows = (key: string, rows: readonly (readonly Html[])[], heads: readonly string[], what: string): Html =>
  rows.length <= shown + 2
    ? table(heads, rows)
    : html`${table(heads, rows.slice(0, shown))}
        <details id="${key}">
          <summary>${rows.length - shown} more ${what}</summary>
          ${table(heads, rows.slice(shown))}
        </details>`;

function balancersOf({ balancers }: Status): Html {
  const one = (balancer: (typeof balancers)[number]): Html => {
    const targets = worstFirst(balancer.targets, healthOfTarget);
    const healthy = targets.filter((target) => healthOfTarget(target) === "good").length;
    const chip = ({ name, health }: (typeof targets)[number]): Html => {
      const ports = health.map(
        ({ listen_port: port, status }) => html` ${state(`${port} ${status}`, healthOf(status))}`,
      );
      return html`<li class="${worstOf(health.map(({ status }) => healthOf(status)))}">${name}${ports}</li>`;
    };
    const list = withRest(
      `targets-${balancer.id}`,
      10,
      targets.map(chip),
      "targets",
      (some) =>
        html`<ul class="targets">
          ${some}
        </ul>`,
    );
    return html`<div class="balancer" id="balancer-${balancer.id}">
      <div>
        <b title="id ${balancer.id}">${balancer.name}</b>
        ${state(`${healthy} of ${targets.length} targets healthy`, healthOfBalancer(balancer))}
        <span class="faint">${balancer.location}</span>
        ${balancer.address === null ? html`<span class="faint">no public address</span>` : code(balancer.address)}
      </div>
      ${targets.length === 0 ? undefined : list}
    </div>`;
  };
  return kindOf({
    key: "balancers",
    title: counted(balancers.length, "load balancer"),
    body: html`${worstFirst(balancers, healthOfBalancer).map(one)}`,
  });
}

function volumesOf(status: Status): Html {
  const { volumes } = status;
  const marks = (name: string) => faultsOn(status, "volume", name);
  const rows = worstFirst(volumes, ({ name }) => (marks(name).length > 0 ? "bad" : "good")).map((one) => [
    html`<b title="id ${one.id}">${one.name}</b>${faultMarks(marks(one.name))}`,
    html`${one.sizeGb} GB`,
    html`${one.location}`,
    one.server === null ? html`<span class="faint">no server</span>` : html`${one.server}`,
  ]);
  const attached = volumes.filter(({ server }) => server !== null).length;
  return kindOf({
    key: "volumes",
    title: counted(volumes.length, "Volume"),
    note: html`${attached} attached`,
    body: withRows("more-volumes", rows, ["Volume", "Size", "Location", "Attached to"], "Volumes"),
  });
}

function networksOf({ networks, servers, balancers }: Status): Html {
  const rows = networks.map(({ name, range }) => [
    html`<b>${name}</b>`,
    code(range),
    html`${counted(servers.filter((one) => one.networks.includes(name)).length, "server")},
    ${counted(balancers.filter((one) => one.networks.includes(name)).length, "load balancer")}`,
  ]);
  return kindOf({
    key: "networks",
    title: counted(networks.length, "network"),
    body: withRows("more-networks", rows, ["Network", "Range", "Members"], "networks"),
  });
}

function recordsOf({ records }: Status): Html {
  const rows = records.map(({ name, type, content, proxied }) => [
    html`<b>${name}</b>`,
    html`${type}`,
    code(content),
    proxied ? html`by Cloudflare's edge` : html`<span class="faint">directly</span>`,
  ]);
  return kindOf({
    key: "records",
    title: counted(records.length, "DNS record"),
    body: withRows("more-records", rows, ["Record", "Type", "Content", "Answered"], "records"),
  });
}
