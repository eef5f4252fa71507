/** Checks an update of an existing stack before the engine runs: refuses the loss of data, and reports dangers. */
import { UserError } from "../common/user-error.ts";
import { isSafe, lineOf, moveBetween } from "../policy/dangers.ts";
import { graphOf } from "../policy/state.ts";
import { stateOf } from "./backend.ts";
import type { StackFile } from "./stack-file.ts";
import { say, yellow } from "./terminal.ts";

/**
 * Compares the state with the program's graph for the stack's file.
 *
 * @param root folder of the stack's Pulumi project
 * @param project folder of the program
 * @throws {UserError} when something protected would be lost, with what to do instead
 */
export async function guard(root: string, project: string, file: StackFile): Promise<void> {
  const state = stateOf(root, file.stack);
  if (!state?.resources?.length) return;
  // Loaded only when needed: they import the program.
  const { composes, knownOf } = await import("../policy/program.ts");
  const { builtImages } = await import("../images/built.ts");
  // The program itself reports that a phase is not built, and changes nothing.
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
