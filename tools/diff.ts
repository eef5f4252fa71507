/** `make diff`: compares two phases, two stack files, or the existing stack with one, and prints the move's report. */
import { resolve } from "node:path";
import { UserError } from "../common/user-error.ts";
import { accountNeeds } from "../policy/account.ts";
import { isSafe, moveBetween } from "../policy/dangers.ts";
import type { Graph } from "../policy/graph.ts";
import { graphsOf, knownOf } from "../policy/program.ts";
import { withServerTypes } from "../policy/server-types.ts";
import { graphOf, phaseIn } from "../policy/state.ts";
import { unbuiltIn } from "../config/presets.ts";
import type { Phase } from "../config/schema.ts";
import { builtImages } from "../images/built.ts";
import { stateOf } from "../guard/backend.ts";
import { moveDocument } from "./move-document.ts";
import { reportOfMove, unbuiltText } from "./move-report.ts";
import { rehearsedOn } from "../rehearsal/cloud/settings.ts";
import { makeVariables } from "../toolchain/src/environment.ts";
import { chosenStack, titleOf } from "./chosen-stack.ts";
import type { StackFile } from "./stack-file.ts";
import { say } from "./terminal.ts";

export interface DiffOptions {
  /** Folder of the stack's Pulumi project. */
  readonly root: string;
  /** Folder of the program. */
  readonly project: string;
  readonly stack: string;
  /** A phase, or the path of a stack file. @default the existing stack, from its state */
  readonly from: string | undefined;
  /** A phase, or the path of a stack file. @default the stack as its file describes it */
  readonly to: string | undefined;
  /** Where to draw the change: a name that ends in .svg or .png. @default - it is not drawn */
  readonly picture?: string | undefined;
  /** Whether the report is printed as JSON, for programs. @default false */
  readonly json?: boolean;
}

/** One side of a move. */
interface Side {
  readonly title: string;
  readonly phase: Phase | undefined;
}

/**
 * Prints what a move changes, without a call to the engine or a provider.
 *
 * @returns 1 when the move would lose something, otherwise 0
 */
export async function diff(options: DiffOptions): Promise<number> {
  const { from, to } = options;
  const after = chosenStack(options, to);
  const started = from === undefined ? undefined : chosenStack(options, from);
  if (options.picture !== undefined) await drawMove(options.project, options.picture, started, after);
  const { before, outlined, ...compared } = await (started === undefined
    ? fromState(options, after)
    : fromFile(options, started, from, after));
  const graphs = withServerTypes(compared.graphs);
  const move = moveBetween(graphs.before, graphs.after, { agreed: after.settings.agreed });
  const sides = { before, after: sideOf(after, to) };
  const needs = accountNeeds([...(started ? [started.topology] : []), after.topology], after.settings.hetzner.limits);
  const report = { ...sides, graphs, move, outlined, needs };
  say(options.json === true ? JSON.stringify(moveDocument(report), undefined, 2) : reportOfMove(report));
  return isSafe(move) ? 0 : 1;
}

interface Compared {
  readonly before: Side;
  readonly graphs: { readonly before: Graph; readonly after: Graph };
  readonly outlined: readonly string[];
}

async function fromFile(
  { project }: DiffOptions,
  file: StackFile,
  from: string | undefined,
  after: StackFile,
): Promise<Compared> {
  const { outlined, ...graphs } = await graphsOf(file, after, (settings) => builtImages(project, settings));
  return { before: sideOf(file, from), graphs, outlined };
}

async function drawMove(project: string, file: string, before: StackFile | undefined, after: StackFile): Promise<void> {
  if (!before)
    throw new UserError("The picture of a change needs the start of the move, as in: make diff FROM=mvp TO=scale");
  // Loaded only when needed: it imports Graphviz.
  const { pictureOfChange, writePicture } = await import("./diagram/diagram.ts");
  await writePicture(pictureOfChange(before, after), resolve(project, file));
}

async function fromState({ root, project, stack }: DiffOptions, after: StackFile): Promise<Compared> {
  const state = stateOf(root, stack);
  if (!state?.resources?.length) {
    const [cloud] = rehearsedOn(project, stack);
    const rehearsed = cloud === undefined ? "" : `, or take its rehearsal: make diff ${makeVariables(stack, cloud)}`;
    throw new UserError(
      `Stack '${stack}' does not exist here yet; name the start of the move, as in: make diff FROM=mvp TO=scale${rehearsed}`,
    );
  }
  const unbuilt = unbuiltIn(after.settings);
  if (unbuilt.length > 0) {
    throw new UserError(
      `The existing stack cannot be compared with what is not built yet: ${unbuiltText(unbuilt)}; FROM=PHASE compares plans.`,
    );
  }
  const graphs = { before: graphOf(state), after: await knownOf(after, builtImages(project, after.settings)) };
  const found = phaseIn(graphs.before);
  return { before: { title: `what exists${found ? ` (phase ${found})` : ""}`, phase: found }, graphs, outlined: [] };
}

const sideOf = (file: StackFile, choice: string | undefined): Side => ({
  title: titleOf(file, choice),
  phase: file.settings.phase,
});
