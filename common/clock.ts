/** The clock that waiting code uses, so that a test can pass a fake one instead of waiting. */
import { setTimeout } from "node:timers/promises";

export interface Clock {
  /** Milliseconds since some moment in the past. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

export const systemClock: Clock = { now: () => performance.now(), sleep: (milliseconds) => setTimeout(milliseconds) };
