/** `make diff`: compares two phases, two stack files, or the existing stack with one, and prints the move's report. */
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { UserError } from "../common/user-error.ts";
import { isSafe, moveBetween } from "../policy/dangers.ts";
import type { Graph } from "../policy/graph.ts";
import { composes, graphsOf, knownOf } from "../policy/program.ts";
import { withServerTypes } from "../policy/server-types.ts";
import { graphOf, phaseIn } from "../policy/state.ts";
import type { Phase } from "../config/schema.ts";
import { builtImages } from "../images/built.ts";
import { stateOf } from "../guard/backend.ts";
import { reportOfMove } from "./move-report.ts";
import { describeStack, inPhase, parseStackText, readStackText, type StackFile } from "./stack-file.ts";
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
  const after = described(options, to);
  const { before, outlined, ...compared } = await (from === undefined
    ? fromState(options, after)
    : fromFile(options, from, after));
  const graphs = withServerTypes(compared.graphs);
  const move = moveBetween(graphs.before, graphs.after);
  const sides = { before, after: sideOf(after, to) };
  say(reportOfMove({ ...sides, graphs, move, outlined }));
  return isSafe(move) ? 0 : 1;
}

interface Compared {
  readonly before: Side;
  readonly graphs: { readonly before: Graph; readonly after: Graph };
  readonly outlined: readonly string[];
}

async function fromFile(options: DiffOptions, from: string, after: StackFile): Promise<Compared> {
  const file = described(options, from);
  const { outlined, ...graphs } = await graphsOf(file, after, builtImages(options.project, after.settings));
  return { before: sideOf(file, from), graphs, outlined };
}

async function fromState({ root, project, stack }: DiffOptions, after: StackFile): Promise<Compared> {
  const state = stateOf(root, stack);
  if (!state?.resources?.length) {
    throw new UserError(
      `Stack '${stack}' does not exist here yet; name the start of the move, as in: make diff FROM=mvp TO=scale`,
    );
  }
  const { phase } = after.settings;
  if (!composes(after)) {
    throw new UserError(
      `Phase ${phase} is not built yet, so the existing stack cannot be compared with it; FROM=PHASE compares plans.`,
    );
  }
  const graphs = { before: graphOf(state), after: await knownOf(after, builtImages(project, after.settings)) };
  const found = phaseIn(graphs.before);
  return { before: { title: `what exists${found ? ` (phase ${found})` : ""}`, phase: found }, graphs, outlined: [] };
}

const sideOf = ({ settings }: StackFile, choice: string | undefined): Side => ({
  title: choice !== undefined && isFile(choice) ? `${basename(choice)} (phase ${settings.phase})` : settings.phase,
  phase: settings.phase,
});

const isFile = (choice: string): boolean => /\.ya?ml$/.test(choice);

/** The stack that an option of the command line names. */
function described({ root, project, stack }: DiffOptions, choice: string | undefined): StackFile {
  if (choice !== undefined && isFile(choice)) {
    const contents = parseStackText(stack, readText(resolve(project, choice)), choice);
    return describeStack(stack, contents, undefined, choice);
  }
  const contents = parseStackText(stack, readStackText(root, stack));
  return describeStack(stack, choice === undefined ? contents : inPhase(contents, choice));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(`The stack file ${path} could not be read: ${error instanceof Error ? error.message : ""}`);
  }
}
