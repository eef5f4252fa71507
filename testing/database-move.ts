/** A move of the data of a rehearsed stack under load, and what its visitors and its operator see of it; for tests and benches. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadReport } from "../rehearsal/load/process.ts";
import type { ExternalStack } from "./external-stack.ts";
import { succeed } from "./sandbox.ts";

export interface MovedUnderLoad {
  readonly to: "own" | "external";
  /** Seconds for which the command says that writes waited, or were refused. */
  readonly paused: number;
  /** Seconds of the longest time in which no order was acknowledged. */
  readonly withoutOrder: number;
  /** Seconds that the slowest order took. */
  readonly slowestOrder: number;
  /** Seconds of the update that stores the new address. */
  readonly update: number;
  readonly rows: number;
  readonly report: LoadReport;
  /** What the command said. */
  readonly said: string;
}

const calmMs = 8000;

export async function moveUnderLoad(stack: ExternalStack, to: "own" | "external"): Promise<MovedUnderLoad> {
  const { result: said, report } = await stack.platform.underLoad(async () => {
    await sleep(calmMs);
    const output = succeed(stack.make("move-database", `TO=${to}`, "YES=1", "REPLACE=1"));
    await sleep(calmMs);
    return output;
  });
  const number = (pattern: RegExp) => Number(pattern.exec(said)?.[1]);
  const orders = report.requests["order"] ?? [];
  const ends = orders.map(([at, ms]) => at + ms).sort((one, other) => one - other);
  const gaps = ends.slice(1).map((end, index) => end - (ends[index] ?? end));
  return {
    ...{ to, report, said },
    paused: number(/writes \w+(?: \w+)? for ([\d.]+) s/),
    withoutOrder: Math.max(...gaps) / 1000,
    slowestOrder: Math.max(...orders.map(([, ms]) => ms)) / 1000,
    update: number(/the update took (\d+) s/),
    rows: number(/(\d+) rows, the same in both/),
  };
}
