/** The tables of README and docs that come from rules, presets, prices and the stack files of this project, as Markdown. */
import { stripVTControlCharacters } from "node:util";
import { builtPhases, presets } from "../../config/presets.ts";
import { priceList } from "../../config/prices.ts";
import { cents } from "../../policy/cost.ts";
import { chosenStack } from "../chosen-stack.ts";
import { markdownTable } from "../markdown.ts";
import { inventoryOf } from "../plan/inventory.ts";
import { reportOfPlan } from "../plan/report.ts";
import { settingsPage } from "../settings/page.ts";
import { phasePrice } from "./prices.ts";
import {
  capacities,
  capacitySources,
  cheapDatabaseType,
  cloudflarePlans,
  cloudflareSource,
  demands,
  elsewhere,
  notCovered,
  operatorOf,
  operators,
  options,
  type Scenario,
  scenarios,
  serverPhases,
} from "./rules.ts";

/** The tables by the name in their markers. */
export const tables: Readonly<Record<string, () => string>> = {
  phases: () =>
    markdownTable(
      ["Phase", "Servers", "€ a month", ""],
      serverPhases.map((phase) => {
        const { servers, cost } = phasePrice(phase, 0);
        const built = builtPhases.includes(phase) ? "" : " (planned, not built yet)";
        return [phase + built, `${servers}`, euro(cost.monthly), `[picture](docs/pictures/${phase}.svg)`];
      }),
    ),
  // What `make plan PHASE=mvp` prints.
  "plan-mvp": () => fenced(reportOfPlan(inventoryOf(chosenStack({ root: ".", project: ".", stack: "prod" }, "mvp")))),
  "price-date": () => `Net, by Hetzner's price list of ${priceList.date}, without traffic and Cloudflare.`,
  capacity: () =>
    markdownTable(
      ["Phase", "Visitors at once", "Orders a minute", "GB of data", "Operated by at least"],
      capacities.map(({ phase, visitors, orders, gb }) => [
        builtPhases.includes(phase) ? phase : `${phase} (not built yet)`,
        ...[upTo(visitors), upTo(orders), upTo(gb)],
        `\`${operatorOf[phase].operator}\`: ${operatorOf[phase].because}`,
      ]),
    ),
  "capacity-sources": () =>
    bullets([
      `**Visitors.** ${capacitySources.visitors.full}`,
      `**Orders.** ${capacitySources.orders.full}`,
      `**Data.** ${capacitySources.gb.full}`,
    ]),
  matrix: () =>
    markdownTable(
      ["Scenario", "Asked for by", "The guide says", "Here", "Because"],
      scenarios.map((one) => [one.when, asked(one), one.guide, here(one), one.because]),
    ),
  answers: () =>
    markdownTable(
      ["Variable", "Value", "Meaning"],
      [
        ...Object.entries(operators).map(([name, meaning]) => ["`OPERATOR`", `\`${name}\``, meaning]),
        ...Object.entries(demands).map(([name, meaning]) => ["`DEMANDS`", `\`${name}\``, meaning]),
      ],
    ),
  "not-covered": () =>
    markdownTable(
      ["Choice", "Not covered"],
      [
        ...serverPhases.map((phase) => [`phase ${phase}`, phase] as const),
        ["managed services", "managed"] as const,
        ["Kubernetes", "kubernetes"] as const,
      ].map(([title, key]) => [title, notCovered[key].join("; ")]),
    ),
  costs: () => markdownTable(["Way", "A month", "For that"], [...ownCosts(), ...otherCosts()]),
  settings: settingsPage,
  "cost-sources": () =>
    bullets([
      `**This program.** ${priceList.source}, ${priceList.date}; ${cloudflareSource}.`,
      ...elsewhere.map(
        ({ what, parts }) =>
          `**${what}.** ${parts.map((part) => `${part.what}: ${euro(part.monthly)} (${part.source})`).join("; ")}.`,
      ),
    ]),
};

function ownCosts(): string[][] {
  return serverPhases.map((phase) => {
    const [usual, cheap] = [phasePrice(phase, 0), phasePrice(phase, 0, true)];
    const { plan } = presets[phase].cloudflare;
    const paid = cloudflarePlans[plan] > 0;
    return [
      `this program, phase ${phase}`,
      `€ ${euro(usual.cost.monthly)}${paid ? ` and US$ ${cloudflarePlans[plan]}` : ""}`,
      `${usual.servers === 1 ? "one server" : `${usual.servers} servers`} and all that belongs to them${paid ? `; Cloudflare's plan ${plan}` : ""}. € ${euro(cheap.cost.monthly)} on ${cheapDatabaseType} and its kind, where in stock`,
    ];
  });
}

const otherCosts = (): string[][] =>
  elsewhere.map(({ what, currency, parts, remark }) => [
    what,
    `${currency} ${euro(cents(parts.reduce((sum, { monthly }) => sum + monthly, 0)))}`,
    remark,
  ]);

const asked = ({ operator, demand }: Scenario): string => {
  const value = operator ?? demand;
  return value === undefined ? "everything else" : `\`${value}\``;
};

const here = ({ option, phase }: Scenario): string =>
  option === "servers" ? `this program, phase ${phase ?? "by size"}` : options[option];

const upTo = (figure: number): string => (Number.isFinite(figure) ? `up to ${figure.toLocaleString("en-US")}` : "more");
const euro = (amount: number): string => amount.toFixed(2);
const bullets = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");

const begin = (name: string): string => `<!-- begin ${name}: written by make tables -->`;
const end = (name: string): string => `<!-- end ${name} -->`;

/** A page with its tables as they are now. @throws {Error} for a marker without an end, or of an unknown table */
export function withTables(page: string): string {
  return page.replace(
    /<!-- begin ([a-z-]+): written by make tables -->[^]*?(<!-- end \1 -->|$)/g,
    (_, name: string, closing: string) => {
      const table = tables[name];
      if (!table)
        throw new Error(
          `there is no table '${name}' in tools/advise/tables.ts; known: ${Object.keys(tables).join(", ")}`,
        );
      if (closing === "") throw new Error(`'${begin(name)}' has no '${end(name)}' after it`);
      return `${begin(name)}\n\n${table()}\n\n${end(name)}`;
    },
  );
}

const fenced = (text: string): string => ["```text", stripVTControlCharacters(text).trimEnd(), "```"].join("\n");
