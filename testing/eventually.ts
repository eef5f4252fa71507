/** Waiting for a condition, within so many seconds. */
import { setTimeout as sleep } from "node:timers/promises";

/** Tries again until the check holds; what it said last is the failure, after so many seconds. */
export async function eventually(check: () => Promise<void> | void, seconds = 60): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(100);
    }
  }
}
