/** Prints the progress of a bench and its failed requests. */
import type { LoadReport } from "../rehearsal/load/process.ts";

/** Tells the progress of a benchmark that takes long, with the time of the day (UTC). */
export const tell = (line: string): void => {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
};

/** Tells each request that failed, and why. */
export function tellFailures({ failures }: LoadReport): void {
  for (const { time, what, why } of failures) tell(`${time} ${what}: ${why}`);
}
