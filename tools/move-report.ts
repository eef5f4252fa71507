/** Formats the report of `make diff`: a move's changes, cost and dangers, and whether it is safe. Pure. */
import { priceList } from "../config/prices.ts";
import { type Phase, phases } from "../config/schema.ts";
import type { Action, Change } from "../policy/changes.ts";
import type { Need } from "../policy/account.ts";
import { costOf } from "../policy/cost.ts";
import { isSafe, type Move } from "../policy/dangers.ts";
import type { Severity } from "../policy/findings.ts";
import { type Graph, keyOf, type Recorded, shortType } from "../policy/graph.ts";
import { types } from "../policy/stateful.ts";
import { accountLines } from "./plan/report.ts";
import { bold, dim, green, red, table, yellow } from "./terminal.ts";

export interface MoveReport {
  readonly before: { readonly title: string; readonly phase: Phase | undefined };
  readonly after: { readonly title: string; readonly phase: Phase | undefined };
  readonly graphs: { readonly before: Graph; readonly after: Graph };
  readonly move: Move;
  /** Phases and traits that are not built yet, so that only their plans are compared. */
  readonly outlined: readonly string[];
  /** What the account at Hetzner must allow during the move. @default - it is not said */
  readonly needs?: readonly Need[];
}

export function reportOfMove(report: MoveReport): string {
  const { before, after, move, outlined } = report;
  const title = `From ${before.title} to ${after.title}: ${counts(move.changes)}`;
  return [
    bold(title),
    ...(outlined.length > 0 ? [dim(outlineNote(outlined))] : []),
    ...changesOf(report),
    "",
    ...costs(report),
    "",
    ...(report.needs !== undefined && report.needs.length > 0 ? [...accountLines(report.needs), ""] : []),
    ...dangers(move),
    verdict(report),
  ].join("\n");
}

const outlineNote = (outlined: readonly string[]): string =>
  `Not built yet: ${unbuiltText(outlined)}. This compares the plans, with every server, Volume, address and service.`;

/** `phase ha and orion:monitoring.enabled true`. */
export const unbuiltText = (unbuilt: readonly string[]): string =>
  unbuilt.map((one) => (one.startsWith("orion:") ? one : `phase ${one}`)).join(" and ");

const words: Readonly<Record<Action, string>> = {
  create: "created",
  update: "changed",
  replace: "replaced",
  delete: "deleted",
};
const signs: Readonly<Record<Action, string>> = {
  create: green("+"),
  update: yellow("~"),
  replace: red("±"),
  delete: red("-"),
};
const actions: readonly Action[] = ["create", "update", "replace", "delete"];

/** `12 created, 3 changed`. */
export function counts(changes: readonly Change[]): string {
  const parts = actions.flatMap((action) => {
    const count = changes.filter((change) => change.action === action).length;
    return count === 0 ? [] : [`${count} ${words[action]}`];
  });
  return parts.join(", ") || "nothing changes";
}

/** The changes of one server or one part of the platform. */
export interface ChangeGroup {
  readonly name: string;
  readonly changes: readonly Change[];
}

/** The changes of a move by server or part, in the order of their names. */
export function groupsOf({ graphs, move }: Pick<MoveReport, "graphs" | "move">): ChangeGroup[] {
  const groups = new Map<string, Change[]>();
  for (const change of move.changes) {
    const graph = change.action === "delete" ? graphs.before : graphs.after;
    const group = groupOf(graph, change.resource);
    groups.set(group, [...(groups.get(group) ?? []), change]);
  }
  return [...groups].sort(byName).map(([name, changes]) => ({ name, changes }));
}

/** Every change, by server or part, as lines. */
export const changesOf = (report: Pick<MoveReport, "graphs" | "move">): string[] =>
  groupsOf(report).flatMap(({ name, changes }) => [
    "",
    `${bold(name)}  ${counts(changes)}`,
    ...actions.flatMap((action) =>
      linesOf(
        action,
        changes.filter((change) => change.action === action),
      ),
    ),
  ]);

const rest = "the rest";
const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  Number(one === rest) - Number(other === rest) || one.localeCompare(other);

/** Creations and deletions grouped by type; other changes one by one, with their inputs. */
function linesOf(action: Action, changes: readonly Change[]): string[] {
  const line = (text: string) => `  ${signs[action]} ${text}`;
  if (action === "create" || action === "delete") {
    const shortTypes = [...new Set(changes.map(({ resource }) => shortType(resource.type)))];
    return shortTypes.map((type) => {
      const of = changes.filter(({ resource }) => shortType(resource.type) === type);
      return line(`${type} ${of.map(({ resource }) => resource.name).join(", ")}`);
    });
  }
  const isLabelled = ({ inputs }: Change) => action === "update" && inputs.join() === "labels";
  const labelled = changes.filter(isLabelled).length;
  return [
    ...changes
      .filter((change) => !isLabelled(change))
      .map((change) => line(`${shortType(change.resource.type)} ${change.resource.name}: ${whatChanges(change)}`)),
    ...(labelled > 0 ? [line(`labels of ${labelled}`)] : []),
  ];
}

function whatChanges({ inputs, forcedBy, before }: Change): string {
  const forces = forcedBy.map((one) =>
    one === "provider" ? `moves${movedFrom(before)}` : one.includes(" ") ? `with ${nameIn(one)}` : one,
  );
  return [...new Set([...forces, ...inputs])].join(", ");
}

const nameIn = (key: string): string => key.split(" ")[1] ?? key;
const movedFrom = (before: Recorded | undefined): string => {
  const place = before?.options.provider;
  return place === undefined ? "" : ` from ${nameIn(place).replace(/-docker$/, "")}`;
};

/** The server or the component that a resource belongs to. */
export function groupOf(graph: Graph, resource: Recorded): string {
  const { name, options } = resource;
  const place = /^pulumi:providers:docker (.+)-docker$/.exec(options.provider ?? "")?.[1];
  const gone = options.deletedWith?.startsWith(`${types.server} `) ? nameIn(options.deletedWith) : undefined;
  const server = gone?.replace(/-server$/, "") ?? serversIn(graph).find((one) => name.startsWith(`${one}-`));
  return server ?? place ?? partOf(graph, resource);
}

const serversIn = ({ resources }: Graph): string[] =>
  resources.filter(({ type }) => type === types.server).map(({ name }) => name.replace(/-server$/, ""));

/** The ancestor directly below the platform. */
function partOf(graph: Graph, resource: Recorded): string {
  const byKey = new Map(graph.resources.map((one) => [keyOf(one), one]));
  let part = resource;
  for (;;) {
    const parent = byKey.get(part.options.parent ?? "");
    if (!parent || parent.type === "orion:index:Platform") break;
    part = parent;
  }
  return part === resource ? rest : part.name;
}

function costs({ before, after, graphs }: MoveReport): string[] {
  const [was, is] = [costOf(graphs.before), costOf(graphs.after)];
  const euro = (monthly: number) => monthly.toFixed(2);
  const row = (what: string, one: string, other: string) => [what, one.padStart(14), other.padStart(14)];
  const rows = was.items.flatMap(({ what, count, monthly }, index) => {
    const later = is.items[index];
    if (!later || count + later.count === 0) return [];
    return [row(what, `${count}   ${euro(monthly)}`, `${later.count}   ${euro(later.monthly)}`)];
  });
  // Of what is shown, to the cent.
  const difference = Number(euro(is.monthly)) - Number(euro(was.monthly));
  const sum = `${difference < 0 ? "" : "+"}${euro(difference)}`;
  return [
    bold(`€ per month: ${euro(was.monthly)} before, ${euro(is.monthly)} after (${sum})`),
    ...(rows.length > 0 ? [table([row("", before.phase ?? "", after.phase ?? ""), ...rows])] : []),
    dim(`Net, without traffic and Cloudflare; ${priceList.source}, ${priceList.date}.`),
    ...[...new Set([...was.unpriced, ...is.unpriced])].map((name) =>
      yellow(`The price of ${name}'s type is not known; it is not in the sum.`),
    ),
  ];
}

const marks: Readonly<Record<Severity, string>> = {
  refused: red("refused"),
  loss: red("data loss"),
  danger: yellow("danger"),
};

const dangers = ({ findings }: Move): string[] =>
  findings.length === 0
    ? []
    : [
        ...findings.flatMap(({ severity, name, happens, instead }) => [
          `${marks[severity]}: ${name} ${happens}`,
          ...(instead === undefined ? [] : [`  instead: ${instead}`]),
        ]),
        "",
      ];

function verdict({ before, after, move }: MoveReport): string {
  const isBack =
    before.phase !== undefined &&
    after.phase !== undefined &&
    phases.indexOf(after.phase) < phases.indexOf(before.phase);
  const kind = isBack ? "This move back" : "This move";
  if (isSafe(move)) return green(`${kind} is safe: everything that holds data keeps its resource, name and address.`);
  return move.findings.some(({ severity }) => severity === "refused")
    ? red(`${kind} is refused: see the findings above.`)
    : red(`${kind} loses data that is no longer protected.`);
}
