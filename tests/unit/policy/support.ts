/** Graphs of the production stack, for tests of moves. */
import { type Phase, phases, type SecretKey, type Settings } from "../../../config/schema.ts";
import { type Move, moveBetween } from "../../../policy/dangers.ts";
import type { Finding } from "../../../policy/findings.ts";
import { type Graph, identityOf, type Recorded } from "../../../policy/graph.ts";
import { composes, outlineOf } from "../../../policy/outline.ts";
import type { Graphs, Stack } from "../../../policy/program.ts";
import { factsOf, outputsOf } from "../../../policy/stack-facts.ts";
import { type State, stateSchema } from "../../../policy/state.ts";
import { plan } from "../../../topology/plan.ts";
import { images, sharedGraph } from "../support/graphs.ts";
import { settingsOf } from "../support/settings.ts";

export { images } from "../support/graphs.ts";

export const serverPhases = phases.filter((phase) => phase !== "development");

/** Every phase with every other one, those that grow and those that shrink. */
export const pairs = phases.flatMap((from) => phases.map((to): [Phase, Phase] => [from, to]));

export const stackOf = (
  phase: Phase,
  values: Readonly<Record<string, unknown>> = {},
  secrets: readonly SecretKey[] = [],
): Stack => {
  const settings = settingsOf(phase, values, secrets);
  return { settings, topology: plan("prod", settings), secrets };
};

export const outlineIn = (settings: Settings): Graph => outlineOf(plan("prod", settings), settings);

export async function graphsBetween(from: Stack, to: Stack): Promise<Graphs> {
  if (!composes(from) || !composes(to)) {
    const { graphsOf } = await import("../../../policy/program.ts");
    return graphsOf(from, to, images);
  }
  return { before: await sharedGraph(from), after: await sharedGraph(to), outlined: [] };
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

const stackUrn = "urn:pulumi:prod::orion::pulumi:pulumi:Stack::orion-prod";
const secretMark = "4dabf18193072939515e22adb298388d";

/** What the state of a stack is, as the engine writes it down: URNs, ids that only it knows, secrets encrypted, the providers' defaults. */
export async function stateOf(stack: Stack): Promise<State> {
  const { after: graph } = await graphsBetween(stack, stack);
  const identity = identityOf(graph);
  const urns = new Map(
    graph.resources.map((one) => [`${one.type} ${one.name}`, `urn:pulumi:prod::orion::${identity(one)}`]),
  );
  const urn = (key: string | undefined) => (key === undefined ? undefined : urns.get(key));
  const encrypted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(encrypted);
    if (typeof value !== "object" || value === null) return value;
    if ("[secret]" in value) return { [secretMark]: "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:abc" };
    const inner = Object.entries(value).map(([key, one]) => [key, encrypted(one)]);
    return { ...Object.fromEntries(inner), __defaults: ["added"], added: 1 };
  };
  const writtenDown = ({ type, name, inputs, options }: Recorded) => {
    const used = graph.uses.get(`${type} ${name}`);
    const ofOthers = (input: string) => (used?.[input]?.length ?? 0) > 0;
    return {
      urn: urn(`${type} ${name}`),
      type,
      custom: used !== undefined,
      // Ids are others than those that the program is composed with; a list or a map has some of its values from elsewhere.
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([input, value]) => [
          input,
          ofOthers(input) && typeof value !== "object" ? "4711" : encrypted(value),
        ]),
      ),
      parent: urn(options.parent) ?? stackUrn,
      protect: options.protect,
      retainOnDelete: options.retainOnDelete,
      deletedWith: urn(options.deletedWith),
      provider:
        options.provider === undefined
          ? "urn:pulumi:prod::orion::pulumi:providers:hcloud::default_1_41_0::id"
          : `${urn(options.provider) ?? ""}::id`,
      propertyDependencies: Object.fromEntries(
        Object.entries(used ?? {}).map(([input, keys]) => [input, keys.map((key) => urn(key) ?? "")]),
      ),
    };
  };
  const ofStack = { urn: stackUrn, type: "pulumi:pulumi:Stack", outputs: outputsOf(factsOf(stack)) };
  return stateSchema.parse({ resources: [ofStack, ...graph.resources.map(writtenDown)] });
}
