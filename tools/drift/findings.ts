/** Sorts the differences between a stack's program, its state and what really exists, and says them in words. Pure. */
import { shortType } from "../../policy/graph.ts";
import { types } from "../../policy/stateful.ts";
import type { EngineChange } from "../engine-preview.ts";
import { knownNoise, type Noise, noiseOf } from "./noise.ts";

export interface Drift {
  /** What was changed without the program: changed or removed by hand, or broken. */
  readonly drifted: readonly EngineChange[];
  /** What an update would do because of the drift, to resources that have not drifted themselves. */
  readonly followed: readonly EngineChange[];
  /** What the stack's file and program want and no update has done yet. */
  readonly waiting: readonly EngineChange[];
  readonly noise: readonly { readonly change: EngineChange; readonly why: string }[];
}

/**
 * @param real changes of an update that asks the providers first
 * @param stated changes of an update that believes the state
 */
export function driftOf(
  real: readonly EngineChange[],
  stated: readonly EngineChange[],
  noise: readonly Noise[] = knownNoise,
): Drift {
  const inputsStated = new Map(stated.map((change) => [keyOf(change), change.inputs]));
  const unexplained = real.flatMap((change) => {
    const known = inputsStated.get(keyOf(change));
    if (known === undefined) return [change];
    const inputs = change.inputs.filter((input) => !known.includes(input));
    return inputs.length === 0 ? [] : [{ ...change, inputs }];
  });
  const judged = unexplained.map((change) => ({ change, noise: noiseOf(change, noise) }));
  const serious = judged.flatMap(({ change, noise: found }) => (found ? [] : [change]));
  const drifted = serious.filter((change) => !isConsequence(change));
  return {
    drifted,
    // Without a cause it is a finding of its own.
    ...(drifted.length > 0
      ? { followed: serious.filter(isConsequence) }
      : { drifted: serious, followed: [] as readonly EngineChange[] }),
    waiting: stated,
    noise: judged.flatMap(({ change, noise: found }) => (found ? [{ change, why: found.why }] : [])),
  };
}

const keyOf = ({ action, type, name }: EngineChange): string => `${action} ${type} ${name}`;

/** A change about nothing that is known: an input comes from a resource that changes. */
const isConsequence = ({ action, inputs }: EngineChange): boolean => action !== "create" && inputs.length === 0;

/** What each change of a kind means, in the words of the one who has to act. */
export function wordsOf({ action, type, name, inputs, holds }: EngineChange): string {
  const what = `${shortType(type)} ${name}`;
  return `${what} ${happened(action, type, inputs)}${holds === undefined ? "" : `. It is ${holds}`}`;
}

function happened(action: EngineChange["action"], type: string, inputs: readonly string[]): string {
  if (action === "create") return "does not exist any more";
  if (action === "delete") return "is still there and belongs to nothing";
  if (type === types.container && inputs.includes("mustRun")) return "does not run";
  const about = inputs.length === 0 ? "differs" : `differs in ${inputs.join(", ")}`;
  return action === "replace" ? `${about}, and an update would replace it` : about;
}

/** What an update that waits would do. */
export const plannedWords = ({ action, type, name, inputs }: EngineChange): string =>
  `${shortType(type)} ${name} would be ${action}d${action === "create" || action === "delete" || inputs.length === 0 ? "" : ` (${inputs.join(", ")})`}`;

/** Changes by server or part, in the order of their names. */
export function byGroup(changes: readonly EngineChange[]): [string, readonly EngineChange[]][] {
  const names = [...new Set(changes.map(({ group }) => group))].sort((one, other) => one.localeCompare(other));
  return names.map((name) => [name, changes.filter(({ group }) => group === name)]);
}
