/** The program's graph of a stack, without the engine: what `pulumi up` would register. */
import * as pulumi from "@pulumi/pulumi";
import { isBuilt, Platform } from "../components/platform.ts";
import { type SecretKey, type Settings } from "../config/schema.ts";
import { type BuiltImages } from "../topology/images.ts";
import { type Topology } from "../topology/types.ts";
import { compose } from "./compose.ts";
import { type Graph, keyOf, type Recorded, unknown } from "./graph.ts";
import { outlineOf } from "./outline.ts";
import { types } from "./stateful.ts";

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
  /** Phases that the program does not compose yet; because of them both graphs are outlines. */
  readonly outlined: readonly Settings["phase"][];
}

/** The graphs of two stacks: those of the program where it composes both phases, outlines of their plans otherwise. */
export async function graphsOf(before: Stack, after: Stack, builtImages: BuiltImages): Promise<Graphs> {
  const phases = [...new Set([before, after].map(({ settings }) => settings.phase))];
  const outlined = phases.filter((phase) => !isBuilt(phase));
  if (outlined.length > 0) {
    const [was, is] = [before, after].map(({ settings, topology }) => outlineOf(topology, settings));
    return { before: was ?? empty, after: is ?? empty, outlined };
  }
  // One after the other: the SDK has one set of mocks.
  const was = await programOf(before, "up", builtImages);
  return { before: was, after: await programOf(after, "up", builtImages), outlined };
}

/** Whether the program composes a stack's phase. */
export const composes = ({ settings }: Stack): boolean => isBuilt(settings.phase);

const empty: Graph = { resources: [], uses: new Map() };

/**
 * What the program registers for a stack, for a comparison with what exists: what only a provider knows is not known.
 *
 * @throws {NotBuiltError} in a phase that is not built
 */
export async function knownOf(stack: Stack, builtImages: BuiltImages): Promise<Graph> {
  const { resources, uses } = await programOf(stack, "compare", builtImages);
  const known = (resource: Recorded): Recorded => {
    const used = uses.get(keyOf(resource)) ?? {};
    const inputs = Object.entries(resource.inputs).map(([input, value]) => [
      input,
      used[input]?.length && !(resource.type === types.server && input === "serverType") ? unknown : value,
    ]);
    return { ...resource, inputs: Object.fromEntries(inputs) as Recorded["inputs"] };
  };
  return { resources: resources.map(known), uses };
}

/** What the program registers for a stack. @throws {NotBuiltError} in a phase that is not built */
export async function programOf(
  { settings, topology, secrets }: Stack,
  mode: "compare" | "up",
  builtImages: BuiltImages,
): Promise<Graph> {
  const secret = (key: SecretKey) => (secrets.includes(key) ? pulumi.secret(`secret-${key}`) : undefined);
  const { resources, uses } = await compose(
    mode,
    () => new Platform("orion", { settings, topology, secret, builtImages }),
  );
  return { resources, uses };
}
