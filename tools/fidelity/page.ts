/** The fidelity page: every operation of the real APIs, and what the rehearsal cloud does with it. Pure. */
import { markdownTable } from "../markdown.ts";
import type { Operations } from "./operations.ts";
import { shapeOf } from "./operations.ts";
import type { Api, Served } from "./served.ts";

/** What a client called with success: tests/contract/rehearsal/clients/records. */
export interface ClientRecord {
  readonly name: string;
  readonly version: string;
  /** `<api> <METHOD> <route>`; for R2's S3 interface `r2 <operation>`. */
  readonly calls: readonly string[];
}

export interface Facts {
  readonly operations: Readonly<Record<Api, Operations>>;
  readonly served: Readonly<Record<Api, readonly Served[]>>;
  /** Operations of R2's S3 interface. */
  readonly objects: readonly string[];
  readonly records: readonly ClientRecord[];
  /** The version that served a call first, by `<api> <call>` in the shape of `shapeOf`. */
  readonly since: Readonly<Record<string, string>>;
}

const titles: Readonly<Record<Api, string>> = { hetzner: "Hetzner Cloud", cloudflare: "Cloudflare" };

export function fidelityPage(facts: Facts): string {
  const { records, objects } = facts;
  return `${[
    "# What is emulated",
    "<!-- Written by make fidelity: from the routes of the emulated APIs, the differences that are said beside them, and the records of the clients' tests. -->",
    "Every operation of the real APIs, and what the [rehearsal cloud](rehearsal.md) does with it. An operation that is not here, or not supported, " +
      "is answered with 501 and its name. *Partly*: the last column says what differs; a parameter that is not honoured is refused by name.",
    "**Checked by** names third-party clients that called the operation in a test and got the expected answer. Without a name, only " +
      "this project's own tests call it; all answers are compared with the OpenAPI documents of the real APIs.",
    markdownTable(
      ["Client", "Version", "Operations"],
      records.map(({ name, version, calls }) => [name, version, calls.length]),
    ),
    ...(["hetzner", "cloudflare"] as const).flatMap((api) => section(api, facts)),
    "## R2's S3 interface",
    "Other operations of S3 are refused with `NotImplemented`, as R2 refuses them. [What differs](rehearsal.md#limits).",
    markdownTable(
      ["Operation", "Supported", "Since", "Checked by"],
      objects.map((name) => [name, "yes", sinceOf(facts, `r2 ${name}`), checkedBy(records, `r2 ${name}`)]),
    ),
  ].join("\n\n")}\n`;
}

function section(api: Api, facts: Facts): string[] {
  const operations = Object.entries(facts.operations[api]);
  const served = new Map(facts.served[api].map((one) => [shapeOf(one.call), one]));
  const listed = operations.flatMap(([group, calls]) => (typeof calls === "number" ? [] : [{ group, calls }]));
  const known = new Set(listed.flatMap(({ calls }) => calls.map(shapeOf)));
  const others = [...served.values()].filter(({ call }) => !known.has(shapeOf(call)));
  const total = operations.reduce((sum, [, calls]) => sum + (typeof calls === "number" ? calls : calls.length), 0);
  const count = (calls: readonly string[]) => calls.filter((call) => served.has(shapeOf(call))).length;
  const emulated = listed.reduce((sum, { calls }) => sum + count(calls), 0);
  const absent = operations.flatMap(([group, calls]) => (typeof calls === "number" ? [`${group} (${calls})`] : []));
  return [
    `## ${titles[api]}`,
    `${emulated} of ${total} operations.`,
    ...listed.flatMap(({ group, calls }) => [
      `### ${titles[api]}: ${group} (${count(calls)} of ${calls.length})`,
      markdownTable(
        ["Operation", "Supported", "Since", "Checked by", "Known differences"],
        calls.flatMap((call) => {
          const found = served.get(shapeOf(call));
          return found ? [row(api, call, found, facts)] : [];
        }),
      ),
      ...missing(calls.filter((call) => !served.has(shapeOf(call)))),
    ]),
    ...(others.length === 0
      ? []
      : [
          `### ${titles[api]}: operations that its document does not have`,
          markdownTable(
            ["Operation", "Supported", "Since", "Checked by", "Known differences"],
            others.map((one) => row(api, one.call, one, facts)),
          ),
        ]),
    `### ${titles[api]}: resources that are not emulated`,
    absent.join(" · "),
  ];
}

const row = (api: Api, call: string, { differs }: Served, { records, ...facts }: Facts): string[] => [
  `\`${call}\``,
  differs === undefined ? "yes" : "partly",
  sinceOf({ records, ...facts }, `${api} ${call}`),
  checkedBy(records, `${api} ${call}`),
  differs ?? "",
];

const missing = (calls: readonly string[]): string[] =>
  calls.length === 0 ? [] : [`Not supported: ${calls.map((call) => `\`${call}\``).join(", ")}`];

const sinceOf = ({ since }: Facts, call: string): string => since[shapeOf(call)] ?? "";

const checkedBy = (records: readonly ClientRecord[], call: string): string =>
  records
    .filter(({ calls }) => calls.some((one) => shapeOf(one) === shapeOf(call)))
    .map(({ name }) => name)
    .join(", ");
