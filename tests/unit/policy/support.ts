/** Graphs of the production stack, for tests of moves. */
import { type Phase, phases, type Settings } from "../../../config/schema.ts";
import { type Finding, type Move, moveBetween } from "../../../policy/dangers.ts";
import { type Graph } from "../../../policy/graph.ts";
import { outlineOf } from "../../../policy/outline.ts";
import { composes, graphsOf, type Graphs, programOf, type Stack } from "../../../policy/program.ts";
import { plan } from "../../../topology/plan.ts";
import { settingsOf } from "../support/settings.ts";

export const images = { app: "orion/sample-app:test", docs: "orion/docs:test" };

export const serverPhases = phases.filter((phase) => phase !== "development");

/** Every phase with every other one, those that grow and those that shrink. */
export const pairs = phases.flatMap((from) => phases.map((to): [Phase, Phase] => [from, to]));

export const stackOf = (phase: Phase, values: Readonly<Record<string, unknown>> = {}): Stack => {
  const settings = settingsOf(phase, values);
  return { settings, topology: plan("prod", settings), secrets: [] };
};

export const outlineIn = (settings: Settings): Graph => outlineOf(plan("prod", settings), settings);

const composed = new Map<string, Promise<Graph>>();
let last: Promise<unknown> = Promise.resolve();

/** The graph of a stack whose phase composes. Each is composed once, one after the other: the SDK has one set of mocks. */
function graphOf(stack: Stack): Promise<Graph> {
  const key = JSON.stringify(stack);
  const known = composed.get(key) ?? last.then(() => programOf(stack, "up", images));
  composed.set(key, known);
  last = known.catch(() => undefined);
  return known;
}

export async function graphsBetween(from: Stack, to: Stack): Promise<Graphs> {
  if (!composes(from) || !composes(to)) return graphsOf(from, to, images);
  return { before: await graphOf(from), after: await graphOf(to), outlined: [] };
}

/** The move between two variants of phase mvp, as the program composes them. */
export async function moveOfMvp(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Promise<Move> {
  const graphs = await graphsBetween(stackOf("mvp", before), stackOf("mvp", after));
  expect(graphs.outlined).toEqual([]);
  return moveBetween(graphs.before, graphs.after);
}

/** `refused core-1-volume`. */
export const titles = ({ findings }: { readonly findings: readonly Finding[] }): string[] =>
  findings.map(({ severity, name }) => `${severity} ${name}`);
