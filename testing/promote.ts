/** Runs `make promote-replica` on a rehearsal cloud and measures how long the platform takes no orders. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RehearsalCloud } from "./cloud.ts";
import { documented } from "./documented.ts";
import { RehearsedPlatform } from "./platform.ts";

/** Resolves when it has ended. @returns seconds from its start until orders were accepted, and its output */
export async function promote(root: string, cloud: RehearsalCloud): Promise<{ seconds: number; output: string }> {
  const command = `${documented("make promote-replica STACK=prod")} REHEARSAL=1 YES=1 CLOUD=${cloud.settings.instance}`;
  const promotion = promisify(execFile)("sh", ["-c", `${command} --no-print-directory`], {
    cwd: root,
    maxBuffer: 2 ** 26,
  }).catch((error: unknown) => {
    const { stdout = "" } = error as { stdout?: string };
    throw new Error(`make promote-replica failed; its last lines:\n${stdout.split("\n").slice(-60).join("\n")}`);
  });
  const platform = new RehearsedPlatform(root, cloud);
  const [seconds, { stdout }] = await Promise.all([platform.ready(600), promotion]);
  return { seconds, output: stdout };
}
