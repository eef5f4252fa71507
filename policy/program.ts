/** Composes the program's graph of a stack without the engine: the resources that `pulumi up` would register. */
import * as pulumi from "@pulumi/pulumi";
import { Platform } from "../components/platform.ts";
import { unbuiltIn } from "../config/presets.ts";
import type { SecretKey, SecretName, Settings } from "../config/schema.ts";
import type { BuiltImages } from "../topology/images.ts";
import type { Topology } from "../topology/topology.ts";
import { compose, type Mode } from "./compose.ts";
import { type Graph, keyOf, type Recorded, unknown } from "./graph.ts";
import { compositionProblems } from "./composition.ts";
import { outlineOf } from "./outline.ts";
import { brokenRules } from "./rules.ts";
import { factsOf } from "./stack-facts.ts";
import { types } from "./stateful.ts";
import { refuseUnbuilt } from "./unbuilt.ts";

export interface Stack {
  readonly settings: Settings;
  readonly topology: Topology;
  /** The secrets that the stack sets. */
  readonly secrets: readonly SecretKey[];
}

/** Two graphs of the same kind, so that they can be compared. */
export interface Graphs {
  readonly before: Graph;
  readonly after: Graph;
  /** Phases and traits that the program does not compose yet ({@link unbuiltIn}); because of them both graphs are outlines. */
  readonly outlined: readonly string[];
}

/** The graphs of two stacks: the program's own where it composes both, otherwise outlines of their plans. */
export async function graphsOf(before: Stack, after: Stack, builtImages: BuiltImages): Promise<Graphs> {
  const outlined = [...new Set([before, after].flatMap(({ settings }) => unbuiltIn(settings)))];
  if (outlined.length > 0) {
    const [was, is] = [before, after].map(({ topology, settings }) => outlineOf(topology, settings));
    return { before: was ?? empty, after: is ?? empty, outlined };
  }
  // One after the other: the SDK has one set of mocks.
  const was = await programOf(before, "up", builtImages);
  return { before: was, after: await programOf(after, "up", builtImages), outlined };
}

const empty: Graph = { resources: [], uses: new Map() };

/**
 * The program's graph, for comparison with a state; provider outputs are marked unknown.
 *
 * @throws {UserError} for traits that are not built
 */
export async function knownOf(stack: Stack, builtImages: BuiltImages): Promise<Graph> {
  const { resources, uses, ...rest } = await programOf(stack, "compare", builtImages);
  const known = (resource: Recorded): Recorded => {
    const used = uses.get(keyOf(resource)) ?? {};
    const inputs = Object.entries(resource.inputs).map(([input, value]) => [
      input,
      used[input]?.length && !(resource.type === types.server && input === "serverType") ? unknown : value,
    ]);
    return { ...resource, inputs: Object.fromEntries(inputs) as Recorded["inputs"] };
  };
  return { resources: resources.map(known), uses, ...rest };
}

/** What stands for a secret, whose value is not known here. What is read as a URL is one. */
const exampleOf = (name: SecretName): string =>
  name === "databaseUrl" ? "postgresql://secret:databaseUrl@secret.invalid/secret" : `secret-${name}`;

/**
 * The program's graph.
 *
 * @throws {UserError} for traits that are not built
 * @throws {Error} for a mistake of the program ({@link refuseOwnMistakes})
 */
export async function programOf(stack: Stack, mode: Mode, builtImages: BuiltImages): Promise<Graph> {
  const { settings, topology, secrets } = stack;
  refuseUnbuilt(settings);
  const known: readonly string[] = [...secrets, ...settings.app.secrets.map((name) => `app.secrets.${name}`)];
  const secret = (name: SecretName) => (known.includes(name) ? pulumi.secret(exampleOf(name)) : undefined);
  const { resources, uses } = await compose(
    mode,
    () => new Platform("orion", { settings, topology, secret, builtImages }),
  );
  const graph = { resources, uses, ...factsOf(stack) };
  refuseOwnMistakes(stack, graph);
  return graph;
}

/** @throws {Error} when the graph of the program does not follow the plan, or does not protect the data of a protected stack */
export function refuseOwnMistakes({ settings, topology }: Stack, graph: Graph): void {
  const problems = compositionProblems(topology, graph);
  if (problems.length > 0) throw new Error(`the program does not follow its plan: ${problems.join("; ")}`);
  const broken = settings.protection ? brokenRules(graph) : [];
  if (broken.length > 0) throw new Error(`the program does not protect its data: ${broken.join("; ")}`);
}
