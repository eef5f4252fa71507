/** Runs clean-up steps when a test file or a bench ends. */
const steps: (() => unknown)[] = [];

/** Runs the step once the file's last test has ended, or the bench, where it cannot wait for anything. */
export function atEnd(step: () => unknown): void {
  steps.push(step);
}

/** @throws {AggregateError} when steps have failed, once all have been tried */
export async function cleanUp(): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps.splice(0)) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, "what a test has made could not be removed");
}

// Jest imports this file once for each test file. Where it does not, tests/unit/support/each-file.ts has each of them clean up.
if ("afterAll" in globalThis) afterAll(cleanUp);
else process.once("exit", () => void cleanUp());
