/** The stacks of a folder as data: what the program of one version makes of each stack file. */
import { readdirSync } from "node:fs";
import { UserError } from "../../common/user-error.ts";
import type { Limits, Settings } from "../../config/schema.ts";
import { builtImages } from "../../images/built.ts";
import { type Graph, keyOf, type Recorded, type StackFacts, type Uses } from "../../policy/graph.ts";
import { outlineOf } from "../../policy/outline.ts";
import { composes } from "../../policy/outline.ts";
import { programOf } from "../../policy/program.ts";
import { factsOf } from "../../policy/stack-facts.ts";
import type { LoadBalancer, Server } from "../../topology/server.ts";
import { describeStack, parseStackText, readStackText } from "../stack-file.ts";

/** A stack file that is valid, with the resources that the program makes of it. */
export interface ComposedStack {
  readonly stack: string;
  readonly phase: Settings["phase"];
  readonly servers: readonly Server[];
  readonly loadBalancers: readonly LoadBalancer[];
  /** What its account may have; absent where the stack does not say. */
  readonly limits?: Limits;
  /** `orion:agreed`; absent from versions before this field. */
  readonly agreed?: readonly string[];
  /** What is known of it beside its resources; absent from versions before this field. */
  readonly facts?: StackFacts;
  /** The outline of its plan: servers, Volumes, addresses, services, load balancers. */
  readonly outline: readonly Recorded[];
  /** The resources that the program makes; absent where it only plans the phase. */
  readonly program?: { readonly resources: readonly Recorded[]; readonly uses: readonly (readonly [string, Uses])[] };
}

/** A stack file that the program refuses. */
export interface RefusedStack {
  readonly stack: string;
  readonly error: string;
}

export type Composed = ComposedStack | RefusedStack;

/** What a program prints: the shape is shared by the two versions that a preview compares. */
export interface ComposedStacks {
  readonly version: 1;
  readonly stacks: readonly Composed[];
}

export const isRefused = (stack: Composed): stack is RefusedStack => "error" in stack;

/** The graph of a stack: the program's, or the outline of its plan. */
export function graphIn({ outline, program, facts }: ComposedStack, kind: "program" | "outline"): Graph {
  if (kind === "program" && program) return { resources: program.resources, uses: new Map(program.uses), ...facts };
  return { resources: outline, uses: new Map(outline.map((one) => [keyOf(one), {}])), ...facts };
}

/** The names of the stack files in a folder, sorted. */
const stacksIn = (folder: string): string[] =>
  readdirSync(folder)
    .flatMap((name) => /^Pulumi\.([^.]+)\.yaml$/.exec(name)?.[1] ?? [])
    .sort();

/**
 * Composes every stack file of a folder.
 *
 * @param project folder of this program, for the names of the images that it builds
 */
export async function composeStacks(project: string, folder: string): Promise<ComposedStacks> {
  const stacks: Composed[] = [];
  // One after the other: the SDK has one set of mocks.
  for (const stack of stacksIn(folder)) stacks.push(await composed(project, folder, stack));
  return { version: 1, stacks };
}

async function composed(project: string, folder: string, stack: string): Promise<Composed> {
  try {
    const file = describeStack(stack, parseStackText(stack, readStackText(folder, stack)));
    const { settings, topology } = file;
    const { servers, loadBalancers } = topology;
    const graph = composes(file) ? await programOf(file, "up", builtImages(project, settings)) : undefined;
    return {
      ...{ stack, phase: settings.phase, servers, loadBalancers, outline: outlineOf(topology, settings).resources },
      ...{ agreed: settings.agreed, facts: factsOf(file) },
      ...(settings.hetzner.limits && { limits: settings.hetzner.limits }),
      ...(graph && { program: { resources: graph.resources, uses: [...graph.uses] } }),
    };
  } catch (error) {
    if (error instanceof UserError) return { stack, error: error.message };
    throw error;
  }
}
