/** The stack that an option of the command line names: a phase of the stack's own file, or another stack file. */
import { basename, resolve } from "node:path";
import { UserError } from "../common/user-error.ts";
import { phases } from "../config/schema.ts";
import { describeStack, inPhase, parseStackText, readStackText, type StackFile } from "./stack-file.ts";
import { readText } from "./text-file.ts";

export interface StackChoice {
  /** Folder of the stack's Pulumi project. */
  readonly root: string;
  /** Folder of the program. */
  readonly project: string;
  readonly stack: string;
}

/**
 * Settings and plan of a stack, without engine, token, state or passphrase.
 *
 * @param choice a phase, or the path of a stack file. @default the stack as its file describes it
 * @throws {UserError} when it is neither, or the file cannot be read or is not valid
 */
export function chosenStack({ root, project, stack }: StackChoice, choice: string | undefined): StackFile {
  if (choice !== undefined && isFile(choice)) {
    const contents = parseStackText(stack, readText(resolve(project, choice), "The stack file"), choice);
    return describeStack(stack, contents, undefined, choice);
  }
  if (choice !== undefined && !phases.some((phase) => phase === choice)) {
    throw new UserError(
      `Got '${choice}', allowed: a phase (${phases.join(", ")}), or a stack file, whose name ends in .yaml`,
    );
  }
  const contents = parseStackText(stack, readStackText(root, stack));
  return describeStack(stack, choice === undefined ? contents : inPhase(contents, choice));
}

/** What a report calls the chosen stack: its phase, and the file where one was named. */
export const titleOf = ({ settings }: StackFile, choice: string | undefined): string =>
  choice !== undefined && isFile(choice) ? `${basename(choice)} (phase ${settings.phase})` : settings.phase;

const isFile = (choice: string): boolean => /\.ya?ml$/.test(choice);
