/**
 * The guard: the program itself compares the stack's state with what it is about to register, before it registers anything.
 * It refuses the loss of data, and warns of dangers. So no command of the engine passes it that runs the program: `pulumi
 * preview`, `pulumi up` with any options (also with `--target` the whole program runs), `make up` and `make rehearse`.
 */
import { UserError } from "../common/user-error.ts";
import { isSafe, type Move, moveBetween } from "../policy/dangers.ts";
import { agreeCommands, type Finding, lineOf } from "../policy/findings.ts";
import { imageChanges } from "../policy/data-images.ts";
import { knownOf, type Stack } from "../policy/program.ts";
import type { Graph } from "../policy/graph.ts";
import type { BuiltImages } from "../topology/images.ts";
import { type Asking, askAbout } from "./ask-images.ts";

export interface GuardArgs extends Stack {
  readonly builtImages: BuiltImages;
  /** The stack's state. */
  readonly before: Graph;
  /** How the Docker Engines are asked about images. */
  readonly asking?: Pick<Asking, "login" | "run">;
}

/** What an update would do to the existing stack; undefined for a new stack. @throws {UserError} for traits that are not built */
export async function judge({ before, builtImages, asking, ...stack }: GuardArgs): Promise<Move | undefined> {
  if (before.resources.length === 0) return undefined;
  const { settings } = stack;
  const after = await knownOf(stack, builtImages);
  const answers = await askAbout(imageChanges(before, after), { before, settings, ...asking });
  return moveBetween(before, after, { agreed: settings.agreed, answers });
}

/**
 * Refuses a move that would lose something protected.
 *
 * @param agreed `orion:agreed`
 * @param variables of the make command that shows the whole move: `STACK=prod`
 * @returns a line for each danger, and for each loss that `orion:protection false` allows
 * @throws {UserError} with each loss and what to do instead
 */
export function allow({ findings }: Move, agreed: readonly string[], variables: string): string[] {
  const headline =
    "This update would lose data, or cut off the people or processes that use the stack; nothing was changed:";
  refuse(findings, { headline, agreed, advice: `make diff ${variables} shows all of it.` });
  return findings.map((one) => `${isSafe({ findings: [one] }) ? "Note:" : "Data loss:"} ${lineOf(one)}`);
}

export interface Refusal {
  readonly headline: string;
  /** `orion:agreed`. */
  readonly agreed: readonly string[];
  /** What helps with all findings. @default - none */
  readonly advice?: string;
}

/**
 * Ends the update when a finding is refused.
 *
 * @throws {UserError} with each of these, and how to update anyway where the stack can agree to it
 */
export function refuse(findings: readonly Finding[], { headline, agreed, advice }: Refusal): void {
  const refused = findings.filter(({ severity }) => severity === "refused");
  if (refused.length === 0) return;
  const commands = agreeCommands(refused, agreed);
  const lines = [
    headline,
    ...refused.map((one) => `  ${lineOf(one)}`),
    ...(advice === undefined ? [] : [advice]),
    ...(commands.length === 0 ? [] : ["To update anyway:", ...commands.map((command) => `  ${command}`)]),
  ];
  throw new UserError(lines.join("\n"));
}
