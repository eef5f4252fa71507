/** The page's part about faults: those that are on, each with a button that removes it, and buttons for the common ones. Pure. */
import { commandFor } from "../commands.ts";
import { onlyWithMachines } from "../fault-targets.ts";
import type { Status } from "../status.ts";
import { type Html, html } from "./html.ts";

/** A field of a dialogue. `as`: what the value becomes in the fault; without it, text. */
interface Field {
  readonly name: string;
  readonly label: string;
  readonly as?: "number" | "list";
  readonly options: readonly (readonly [value: string, label: string])[];
}

/** A common fault. The kinds and what they take: faults.ts. */
interface Common {
  readonly key: string;
  /** Text of the button that opens the dialogue. */
  readonly title: string;
  /** What happens. */
  readonly what: string;
  /** Text of the button that does it. */
  readonly confirm: string;
  readonly kind: string;
  readonly fixed?: Readonly<Record<string, string | number>>;
  readonly fields: readonly Field[];
  /** Why it is not possible now. */
  readonly missing?: string | undefined;
}

const plain = (all: readonly string[]): Field["options"] => all.map((one) => [one, one]);
const api: Field = {
  name: "api",
  label: "API",
  options: [
    ["hetzner", "Hetzner"],
    ["cloudflare", "Cloudflare"],
  ],
};
const rate: Field = {
  name: "rate",
  label: "How many calls",
  as: "number",
  options: [
    ["0.2", "every fifth"],
    ["0.5", "every second"],
    ["1", "all"],
  ],
};
const seconds: Field = {
  name: "seconds",
  label: "How long",
  as: "number",
  options: ["2", "5", "15", "60"].map((one) => [one, `${one} seconds`]),
};

/** @param locations names of the locations that have servers to sell */
function commonFaults({ servers, volumes, machines }: Status, locations: readonly string[]): Common[] {
  const names = servers.map(({ name }) => name);
  const attached = volumes.flatMap(({ name, server }) => (server === null ? [] : [name]));
  const noMachines = (kind: string) =>
    machines === "none" && onlyWithMachines.includes(kind) ? "only in a cloud with machines" : undefined;
  const oneServer: Field = { name: "server", label: "Server", options: plain(names) };
  return [
    {
      ...{ key: "killed", kind: "killed", title: "Power cut", confirm: "Cut the power", fields: [oneServer] },
      what: "The server loses its power at once, and every process in it ends. It stays off until a client powers it on.",
      missing: names.length === 0 ? "there is no server" : undefined,
    },
    {
      ...{ key: "partition", kind: "partition", title: "Partition", confirm: "Part them" },
      what: "All packets between the two servers are dropped, until the fault is removed.",
      fields: [
        { name: "servers", label: "Server", as: "list", options: plain(names) },
        { name: "servers", label: "and server", as: "list", options: plain([...names.slice(1), ...names.slice(0, 1)]) },
      ],
      missing: noMachines("partition") ?? (names.length < 2 ? "there are no two servers" : undefined),
    },
    {
      ...{ key: "volume_full", kind: "volume_full", title: "Full Volume", confirm: "Fill it" },
      what: "The file system of the Volume is full, until the fault is removed.",
      fields: [{ name: "volume", label: "Volume", options: plain(attached) }],
      missing: noMachines("volume_full") ?? (attached.length === 0 ? "no Volume is attached" : undefined),
    },
    {
      ...{
        key: "never_boots",
        kind: "never_boots",
        title: "Hanging boot",
        confirm: "Let it hang",
        fields: [oneServer],
      },
      what: "The server's boot hangs from its next start on, until the fault is removed.",
      missing: noMachines("never_boots") ?? (names.length === 0 ? "there is no server" : undefined),
    },
    {
      ...{ key: "sold_out", kind: "sold_out", title: "Sold out", confirm: "Sell out" },
      what: "No server can be created there: resource_unavailable. The servers that exist stay.",
      fields: [{ name: "locations", label: "Location", as: "list", options: plain(locations) }],
    },
    {
      ...{ key: "429", kind: "reply", title: "Rate limit (429)", confirm: "Limit the rate", fixed: { status: 429 } },
      what: "Calls are answered with 429, as if the client had called too often.",
      fields: [api, rate],
    },
    {
      ...{ key: "503", kind: "reply", title: "API down (503)", confirm: "Take it down", fixed: { status: 503 } },
      what: "Calls are answered with 503.",
      fields: [api, { ...rate, options: rate.options.toReversed() }],
    },
    {
      ...{ key: "delay", kind: "delay", title: "Slow API", confirm: "Slow it down", fields: [api, seconds] },
      what: "Every call is answered late.",
    },
    {
      ...{ key: "timeout", kind: "timeout", title: "No answer", confirm: "Leave them waiting", fields: [api, rate] },
      what: "Calls are never answered; the client has to give up.",
    },
    {
      ...{ key: "action", kind: "action", title: "Slow actions", confirm: "Slow them down", fields: [seconds] },
      what: "Hetzner's actions take longer: servers, Volumes and load balancers are ready later.",
    },
  ];
}

export function faultsSection(status: Status, locations: readonly string[]): Html {
  const { faults } = status;
  const all =
    faults.length > 1 ? html`<p><button data-remove="all">Remove all ${faults.length}</button></p>` : undefined;
  const list = html`<ul class="faults">
      ${faults.map(
        ({ id, text }) =>
          html`<li id="fault-${id}">
            <code>${text}</code><button data-remove="${id}" aria-label="Remove fault ${id}">Remove</button>
          </li>`,
      )}
    </ul>
    ${all}`;
  const common = commonFaults(status, locations);
  const missing = [...new Set(common.flatMap((one) => one.missing ?? []))];
  const reasons = missing.map((why) => {
    const titles = common.filter((one) => one.missing === why).map(({ title }) => title);
    return `${titles.join(", ")}: ${why}.`;
  });
  return html`${faults.length === 0 ? html`<p class="empty">No fault is on.</p>` : list}
    <p class="error" id="fault-error" role="alert"></p>
    <h3>Inject a fault</h3>
    <div class="buttons">
      ${common.map(
        ({ key, title, missing }) =>
          html`<button
            id="open-${key}"
            data-open="dialog-${key}"
            ${missing === undefined ? undefined : html` disabled title="${missing}"`}
          >
            ${title} …
          </button>`,
      )}
    </div>
    ${reasons.map((why) => html`<p class="faint">${why}</p>`)}
    <p class="faint">More kinds, and the same from the command line: <code>${commandFor("fault")}</code></p>
    ${common.filter(({ missing }) => missing === undefined).map(dialogOf)}`;
}

function dialogOf({ key, title, what, confirm, kind, fixed = {}, fields }: Common): Html {
  return html`<dialog id="dialog-${key}" aria-labelledby="title-${key}">
    <form method="dialog" data-kind="${kind}" data-fixed="${JSON.stringify(fixed)}">
      <h3 id="title-${key}">${title}</h3>
      <p>${what}</p>
      ${fields.map(
        (field) =>
          html`<label
            >${field.label}
            <select name="${field.name}" data-as="${field.as ?? "text"}">
              ${field.options.map(([value, label]) => html`<option value="${value}">${label}</option>`)}
            </select></label
          >`,
      )}
      <p class="error" role="alert"></p>
      <div class="buttons">
        <button class="danger" value="confirm">${confirm}</button><button value="cancel" formnovalidate>Cancel</button>
      </div>
    </form>
  </dialog>`;
}
