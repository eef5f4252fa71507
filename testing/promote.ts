/** `make promote-replica` on a rehearsal cloud, as whoever waits for the platform sees it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RehearsalCloud } from "./cloud.ts";
import { RehearsedPlatform } from "./platform.ts";

/** What agrees to it beforehand. */
export const promotionVariables = ["STACK=prod", "REHEARSAL=1", "YES=1"];

/** Resolves when it has ended. @returns seconds from its start until orders were taken, and what it printed */
export async function promote(root: string, cloud: RehearsalCloud): Promise<{ seconds: number; output: string }> {
  const words = [`CLOUD=${cloud.settings.instance}`, ...promotionVariables];
  const make = ["--no-print-directory", "promote-replica", ...words];
  const promotion = promisify(execFile)("make", make, { cwd: root, maxBuffer: 2 ** 26 }).catch((error: unknown) => {
    const { stdout = "" } = error as { stdout?: string };
    throw new Error(`make promote-replica failed; its last lines:\n${stdout.split("\n").slice(-60).join("\n")}`);
  });
  const platform = new RehearsedPlatform(root, cloud);
  const [seconds, { stdout }] = await Promise.all([platform.ready(600), promotion]);
  return { seconds, output: stdout };
}
