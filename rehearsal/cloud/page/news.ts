/** The page's parts about what happens: what has changed, and the calls of each client, those with errors first. Pure. */
import type { Call } from "../call-log.ts";
import { type ChangeGroup, grouped } from "../changes.ts";
import { isError } from "../clients.ts";
import type { Status } from "../status.ts";
import { ago, counted, type Html, html, withRest } from "./html.ts";

/** Names of a group that are shown at once. */
const named = 3;

export function changesSection({ changes }: Status): Html {
  const groups = grouped(changes);
  if (groups.length === 0) {
    return html`<p class="empty">Nothing has changed since the cloud's process started.</p>`;
  }
  return withRest(
    "more-changes",
    14,
    groups.map(changeOf),
    "changes",
    (some) =>
      html`<ol class="changes">
        ${some}
      </ol>`,
  );
}

function changeOf({ key, time, subject, verb, tone, members }: ChangeGroup): Html {
  const [first] = members;
  const detail = members.length === 1 ? first?.detail : undefined;
  const what =
    members.length === 1
      ? html`${subject} <b>${first?.name ?? ""}</b> ${verb}`
      : html`${counted(members.length, subject)} ${verb}`;
  const list = members.map(
    (one) =>
      html`<li>${one.name}${one.detail === null ? undefined : html` <span class="faint">${one.detail}</span>`}</li>`,
  );
  const rest = html`<details id="members-${key}">
    <summary>
      ${members.slice(0, named).map(({ name }, index) => html`${index > 0 ? ", " : ""}${name}`)}${members.length > named ? " …" : ""}
    </summary>
    <ul>
      ${list}
    </ul>
  </details>`;
  return html`<li id="${key}" class="${tone}">
    ${ago(time)}
    <div>
      ${what}
      ${detail ? html`<div class="faint detail">${detail}</div>` : undefined}${members.length > 1 ? rest : undefined}
    </div>
  </li>`;
}

export function clientsSection({ clients, totalCalls }: Status): Html {
  if (totalCalls === 0) return html`<p class="empty">No client has called since the cloud's process started.</p>`;
  return html`${clients.map(clientOf)}`;
}

function clientOf({ client, agents, total, errors, lastError, last }: Status["clients"][number]): Html {
  const hurt =
    lastError &&
    html`<p class="last-error">
      ${ago(lastError.time)} ${request(lastError)}
      <b class="bad">${lastError.status === 0 ? "aborted by the client" : lastError.status}</b>
      ${lastError.problem === null ? undefined : html`<span class="detail">${lastError.problem}</span>`}
    </p>`;
  const rows = last.map(
    (call) =>
      html`<tr class="${isError(call) ? "bad" : "good"}">
        <td>${ago(call.time)}</td>
        <td>
          ${request(call)} ${call.problem === null ? undefined : html`<div class="faint detail">${call.problem}</div>`}
        </td>
        <td class="number">${call.status === 0 ? "aborted" : call.status}</td>
        <td class="number">${call.milliseconds} ms</td>
      </tr>`,
  );
  const key = client.replaceAll(/[^\w-]/g, "-");
  return html`<section class="client" id="client-${key}">
    <h3>
      ${client}
      <small
        >${counted(total, "call")}${errors > 0 ? html`, <b class="bad">${counted(errors, "error")}</b>` : undefined}</small
      >
    </h3>
    ${hurt ?? undefined}
    <details id="calls-${key}">
      <summary>last ${last.length === 1 ? "call" : `${last.length} calls`}</summary>
      <p class="faint agents">${agents.map((one) => html`${one === "" ? "no User-Agent" : one}<br />`)}</p>
      <table class="calls">
        <tbody>
          ${rows}
        </tbody>
      </table>
    </details>
  </section>`;
}

const request = ({ method, path }: Pick<Call, "method" | "path">): Html => html`<code>${method} ${path}</code>`;
