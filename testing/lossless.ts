/** What must hold of a load whatever is done to the platform meanwhile. */
import type { LoadReport } from "./load.ts";

/** Every order that was acknowledged is there once, and its task has been run; there were enough to tell. */
export function expectLossless({ ledger, answered }: LoadReport): void {
  expect(ledger).toMatchObject({ lost: [], doubled: [], unconfirmed: [] });
  expect(ledger.acknowledged).toBeGreaterThanOrEqual(answered["order"] ?? 0);
  expect(ledger.acknowledged).toBeGreaterThan(20);
}
