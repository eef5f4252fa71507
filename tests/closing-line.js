import { setTimeout } from "node:timers";

/** Seconds after the last test within which everything that a test opened has to be closed. */
const seconds = 30;

/**
 * Ends a run with one plain line of totals, which a log's reader and a continuous integration find without knowing jest.
 * Something that a test left open fails the run: it would go on for ever.
 */
export default class ClosingLine {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites }) {
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    process.stdout.write(`\n=== ${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped ===\n`);
    const timer = setTimeout(() => {
      const open = process.getActiveResourcesInfo().join(", ");
      process.stderr.write(`${seconds} s after the last test something is still open that a test left: ${open}\n`);
      process.exit(1);
    }, seconds * 1000);
    // A run that left nothing open ends before.
    timer.unref();
  }
}
