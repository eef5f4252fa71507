/** A fake clock that advances only when code sleeps, so that tests of long waits take no time. */
import type { Clock } from "../common/clock.ts";

export interface TestClock extends Clock {
  /** The milliseconds of each sleep, in their order. */
  readonly slept: readonly number[];
}

export function testClock(): TestClock {
  const slept: number[] = [];
  return {
    slept,
    now: () => slept.reduce((sum, milliseconds) => sum + milliseconds, 0),
    sleep: (milliseconds) => {
      slept.push(milliseconds);
      return Promise.resolve();
    },
  };
}
