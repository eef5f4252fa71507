/** Runs load during an event, and expects that no acknowledged order was lost. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadReport } from "../rehearsal/load/process.ts";
import type { RehearsedPlatform } from "./platform.ts";

/**
 * Expects that every acknowledged order exists once and its task has been run.
 *
 * @param atLeast the fewest orders for a meaningful result
 */
export function expectLossless({ ledger, answered }: LoadReport, atLeast = 20): void {
  expect(ledger).toMatchObject({ lost: [], doubled: [], unconfirmed: [] });
  expect(ledger.acknowledged).toBe(answered["order"]);
  expect(ledger.acknowledged).toBeGreaterThanOrEqual(atLeast);
}

/** Runs orders, pages, uploads and WebSockets during an event and a little longer, and expects no loss. */
export async function underLoad(
  platform: RehearsedPlatform,
  happens: () => Promise<void> | void,
  atLeast = 1,
): Promise<LoadReport> {
  const { report } = await platform.underLoad(async () => {
    await sleep(2000);
    await happens();
    await sleep(1000);
  });
  expectLossless(report, atLeast);
  return report;
}
