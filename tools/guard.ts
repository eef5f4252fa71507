/** Before the engine changes a stack that exists: what the change would lose is refused, what it interrupts is said. */
import { UserError } from "../common/user-error.ts";
import { isSafe, lineOf, moveBetween } from "../policy/dangers.ts";
import { graphOf } from "../policy/state.ts";
import { stateOf } from "./backend.ts";
import type { StackFile } from "./stack-file.ts";
import { say, yellow } from "./terminal.ts";

/**
 * Compares what the state has with what the stack's file asks for.
 *
 * @param root folder of the stack's Pulumi project
 * @param project folder of the program
 * @throws {UserError} when something that is protected would be lost; it says what to do instead
 */
export async function guard(root: string, project: string, file: StackFile): Promise<void> {
  const state = stateOf(root, file.stack);
  if (!state?.resources?.length) return;
  // Loaded only when needed: they bring the program along.
  const { composes, knownOf } = await import("../policy/program.ts");
  const { builtImages } = await import("../images/built.ts");
  // The program itself says that a phase is not built, and changes nothing.
  if (!composes(file)) return;
  const move = moveBetween(graphOf(state), await knownOf(file, builtImages(project, file.settings)));
  const refused = move.findings.filter(({ severity }) => severity === "refused");
  if (refused.length > 0) {
    throw new UserError(
      [
        `Stack '${file.stack}' has data that this update would lose; nothing was changed:`,
        ...refused.map((finding) => `  ${lineOf(finding)}`),
        `make diff ${file.variables} shows all of it.`,
      ].join("\n"),
    );
  }
  for (const finding of move.findings)
    say(`${yellow(isSafe({ findings: [finding] }) ? "Note:" : "Data goes:")} ${lineOf(finding)}`);
}
