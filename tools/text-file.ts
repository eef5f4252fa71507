/** Reads and writes the files that a command is given: an error says which file it is, without a stack trace. */
import { readFileSync, writeFileSync } from "node:fs";
import { UserError } from "../common/user-error.ts";

/** @param what the file's name in a sentence. @example The stack file */
export const readText = (path: string, what: string): string =>
  orUserError(`${what} ${path} could not be read`, () => readFileSync(path, "utf8"));

/** @param what the file's name in a sentence */
export const writeContents = (path: string, contents: string | Buffer, what: string): void => {
  orUserError(`${what} ${path} could not be written`, () => {
    writeFileSync(path, contents);
  });
};

function orUserError<T>(failed: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new UserError(`${failed}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
