/** Programs that a test plays instead of starting them. */
import type { Outcome, Run, RunOptions } from "../../../common/process.ts";

/** A program as it was started. */
export type Command = { readonly program: string; readonly args: readonly string[] } & RunOptions;

/** What a played program prints and returns; what is left out is empty, and the exit code is 0. */
export type Answer = Partial<Outcome>;

export const outcomeOf = (answer: Answer): Outcome => ({ code: 0, stdout: "", stderr: "", output: "", ...answer });

/** A `Run` whose programs are played. */
export const runBy =
  (play: (command: Command) => Answer | Promise<Answer>): Run =>
  async (program, args, options = {}) =>
    outcomeOf(await play({ program, args, ...options }));
