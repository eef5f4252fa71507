/**
 * A jest environment in which nothing runs after a test that failed: for files whose tests are steps of one way. The steps
 * that are left count as skipped, so that a failure is reported once and where it happened.
 */
import { TestEnvironment } from "jest-environment-node";

export default class EndsAtFailure extends TestEnvironment {
  #failed = false;

  handleTestEvent({ name, test }) {
    if (name === "test_start" && this.#failed) test.mode = "skip";
    if (name === "test_done" && test.errors.length > 0) this.#failed = true;
  }
}
