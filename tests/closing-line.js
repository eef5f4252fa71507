/** Ends a run with one plain line of totals, which a log's reader and a continuous integration find without knowing jest. */
export default class ClosingLine {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites }) {
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    process.stdout.write(`\n=== ${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped ===\n`);
  }
}
