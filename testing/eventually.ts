/** Waits in a test until a check passes. */
import { setTimeout as sleep } from "node:timers/promises";

/** Repeats a check until it passes. @throws its last error after `seconds` */
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
