/** Decides which option and phase fit the answers of a user, by the tables of rules.ts. Pure. */
import { builtPhases, presets } from "../../config/presets.ts";
import { cents } from "../../policy/cost.ts";
import { type PhasePrice, phasePrice } from "./prices.ts";
import {
  capacities,
  type Capacity,
  capacitySources,
  cheapDatabaseType,
  cloudflarePlans,
  cloudflareSource,
  type Demand,
  elsewhere,
  largestDumpGb,
  notCovered,
  type Operator,
  operatorOf,
  operators,
  type Option,
  type Scenario,
  scenarios,
  type ServerPhase,
  serverPhases,
} from "./rules.ts";

export interface Needs {
  /** Visitors at the same time. */
  readonly visitors: number;
  /** Orders per minute. */
  readonly orders: number;
  /** GB of data in PostgreSQL. */
  readonly gb: number;
  /** € a month for servers, net; null: no limit. */
  readonly budget: number | null;
  readonly operator: Operator;
  readonly demands: readonly Demand[];
}

/** The document that `make advise JSON=1` prints. A field that is added keeps the version; one that changes or goes raises it. */
export interface Advice {
  readonly version: 1;
  readonly needs: Needs;
  readonly option: Option;
  /** The row of the decision matrix that decided about the option. */
  readonly scenario: string;
  /** The phase that fits; for another option than `servers`, the one that would. */
  readonly phase: ServerPhase;
  /** The largest phase up to that one which this version brings up. */
  readonly today: ServerPhase;
  readonly reasons: readonly Reason[];
  /** The phase of `today`; what it costs. */
  readonly cost: AdvisedCost;
  /** What the phase costs once it is built; null when it is. */
  readonly later: AdvisedCost | null;
  /** For a budget that is too small: what fits into it, or the cheapest that there is. */
  readonly cheaper: readonly Cheaper[];
  readonly warnings: readonly string[];
  readonly notCovered: readonly string[];
  /** What to do next; commands are in backticks. */
  readonly next: readonly string[];
}

export interface Reason {
  /** The name of the need. */
  readonly need: string;
  readonly value: string;
  /** The smallest phase for it; null where it decides about the option only. */
  readonly phase: ServerPhase | null;
  readonly source: string;
}

export interface AdvisedCost {
  readonly phase: ServerPhase;
  readonly servers: number;
  readonly volumeGb: number;
  /** € per month, net, without traffic, Cloudflare and object storage. */
  readonly monthly: number;
  readonly source: string;
  readonly date: string;
  /** Cloudflare's plan of the phase, US$ a month. */
  readonly cloudflare: { readonly plan: string; readonly monthly: number; readonly source: string };
}

export interface Cheaper {
  readonly what: string;
  readonly monthly: number;
  readonly fits: boolean;
  readonly givesUp: readonly string[];
}

export function adviceFor(needs: Needs): Advice {
  const scenario = scenarioOf(needs);
  const reasons = reasonsFor(needs, scenario);
  const phase = largest(reasons.flatMap(({ phase: one }) => one ?? []));
  const today = largest(serverPhases.filter((one) => isBuilt(one) && rank(one) <= rank(phase)));
  const now = phasePrice(today, needs.gb);
  const { option } = scenario;
  return {
    version: 1,
    ...{ needs, option, scenario: scenario.when, phase, today, reasons },
    cost: costOf(now),
    later: today === phase ? null : costOf(phasePrice(phase, needs.gb)),
    cheaper: option === "servers" ? cheaperThan(now, needs) : [],
    warnings: warningsFor(needs, phase, today, option),
    notCovered: notCovered[option === "servers" ? today : option],
    next: nextSteps(option, today),
  };
}

/** The row of the decision matrix that applies. The last one applies to everybody. */
function scenarioOf({ operator, demands }: Needs): Scenario {
  const applies = (one: Scenario) =>
    (one.operator === undefined || one.operator === operator) &&
    (one.demand === undefined || demands.includes(one.demand));
  const found = scenarios.find(applies);
  if (!found) throw new Error("the last scenario of tools/advise/rules.ts must apply to everybody");
  return found;
}

function reasonsFor({ visitors, orders, gb, operator, demands }: Needs, scenario: Scenario): Reason[] {
  const size = (need: string, value: number, of: keyof typeof capacitySources): Reason => {
    const { phase } = roomFor(of, value);
    const rooms = capacities.filter((one) => rank(one.phase) <= rank(phase) && Number.isFinite(one[of]));
    const upTo = rooms.map((one) => `${one.phase} up to ${one[of]}`).join(", ");
    return { need, value: String(value), phase, source: `${upTo} (${capacitySources[of].short})` };
  };
  return [
    size("visitors at once", visitors, "visitors"),
    size("orders per minute", orders, "orders"),
    size("GB of data", gb, "gb"),
    { need: "operator", value: operator, phase: null, source: operators[operator] },
    {
      need: "demands",
      value: demands.length > 0 ? demands.join(", ") : "none",
      phase: scenario.phase ?? null,
      source: `decision matrix: ${scenario.when}`,
    },
  ];
}

/** The smallest phase with room for a figure. The largest for one that no phase has room for; warnings say so. */
function roomFor(of: keyof Omit<Capacity, "phase">, value: number): Capacity {
  const found = capacities.find((one) => value <= one[of]) ?? capacities.at(-1);
  if (!found) throw new Error("tools/advise/rules.ts must have a phase");
  return found;
}

const rank = (phase: ServerPhase): number => serverPhases.indexOf(phase);
const isBuilt = (phase: ServerPhase): boolean => builtPhases.includes(phase);
const largest = (some: readonly ServerPhase[]): ServerPhase =>
  some.reduce<ServerPhase>((one, other) => (rank(other) > rank(one) ? other : one), "mvp");

function costOf({ phase, servers, volumeGb, cost: { monthly, source, date } }: PhasePrice): AdvisedCost {
  const { plan } = presets[phase].cloudflare;
  const cloudflare = { plan, monthly: cloudflarePlans[plan], source: cloudflareSource };
  return { phase, servers, volumeGb, monthly, source, date, cloudflare };
}

/** For a budget that is too small: the same phase on cheaper servers, and the phases below it, both ways. */
function cheaperThan(now: PhasePrice, { budget, gb }: Needs): Cheaper[] {
  if (budget === null || now.cost.monthly <= budget) return [];
  const phases = serverPhases.filter((phase) => isBuilt(phase) && rank(phase) <= rank(now.phase)).reverse();
  const list = phases.flatMap((phase) => [...(phase === now.phase ? [] : [wayOf(phase, false)]), wayOf(phase, true)]);
  const fitting = list.filter(({ fits }) => fits);
  const cheapest = list.reduce((one, other) => (other.monthly < one.monthly ? other : one));
  return fitting.length > 0 ? fitting : [cheapest];

  function wayOf(phase: ServerPhase, cheap: boolean): Cheaper {
    const { monthly } = phasePrice(phase, gb, cheap).cost;
    const gaveUp = [
      ...(phase === now.phase ? [] : [`room, and what phase ${now.phase} adds`]),
      ...(cheap ? ["a choice: servers of this kind are sold out for weeks at a time"] : []),
    ];
    return {
      what: cheap ? `phase ${phase} on ${cheapDatabaseType} and its kind` : `phase ${phase}`,
      ...{ monthly, fits: budget !== null && monthly <= budget, givesUp: gaveUp },
    };
  }
}

function warningsFor({ operator, gb }: Needs, phase: ServerPhase, today: ServerPhase, option: Option): string[] {
  const order = Object.keys(operators);
  const { operator: needed, because } = operatorOf[phase];
  const largestGb = Math.max(...capacities.map((one) => one.gb));
  return [
    ...(today === phase
      ? []
      : [`phase ${phase} is planned and not built yet: ${today} is the largest up to it that can be brought up`]),
    ...(option === "servers" && order.indexOf(operator) < order.indexOf(needed)
      ? [`phase ${phase} wants OPERATOR=${needed}: ${because}`]
      : []),
    ...(gb > largestDumpGb
      ? [`backups are dumps of at most ${largestDumpGb} GB, compressed: rehearse one with your data first`]
      : []),
    ...(gb > largestGb ? [`no phase has room for ${gb} GB: the largest Volume holds twice ${largestGb} GB`] : []),
  ];
}

function nextSteps(option: Option, today: ServerPhase): string[] {
  switch (option) {
    case "managed":
      return [
        `compare the prices: docs/choosing.md; ${elsewhere[0]?.what ?? ""} cost US$ ${totalOf(0)} for about what mvp runs`,
        "try the platform on this machine meanwhile: `make up`",
      ];
    case "kubernetes":
      return [
        "ask who wants Kubernetes what it is for: docs/checklist.md says what this program does about each point",
        `see what servers would look like: \`make plan STACK=prod PHASE=${today}\``,
      ];
    case "servers":
      return [
        `see it: \`make plan STACK=prod PHASE=${today}\``,
        `try it on this machine, without an account: \`make rehearse PHASE=${today}\``,
        today === "mvp"
          ? "set it up: docs/production.md"
          : "set it up as phase mvp (docs/production.md), then move: docs/moves.md",
      ];
  }
}

const totalOf = (index: number): number =>
  cents(elsewhere[index]?.parts.reduce((sum, { monthly }) => sum + monthly, 0) ?? 0);
