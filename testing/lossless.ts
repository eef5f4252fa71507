/** A load while something happens to the platform, and what must hold of it whatever that is. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadReport } from "./load.ts";
import type { RehearsedPlatform } from "./platform.ts";

/**
 * Every order that was acknowledged is there once, and its task has been run.
 *
 * @param atLeast so many orders are enough to tell
 */
export function expectLossless({ ledger, answered }: LoadReport, atLeast = 20): void {
  expect(ledger).toMatchObject({ lost: [], doubled: [], unconfirmed: [] });
  expect(ledger.acknowledged).toBe(answered["order"]);
  expect(ledger.acknowledged).toBeGreaterThanOrEqual(atLeast);
}

/** Orders, pages, uploads and WebSockets go on while something happens, and a little longer; nothing may be lost of them. */
export async function underLoad(
  platform: RehearsedPlatform,
  happens: () => Promise<void> | void,
  atLeast = 1,
): Promise<LoadReport> {
  const load = platform.load(3600);
  await sleep(2000);
  try {
    await happens();
    await sleep(1000);
  } finally {
    // Also when it failed: a load must not go on.
    await load.stop();
  }
  const seen = await load.stop();
  expectLossless(seen, atLeast);
  return seen;
}
