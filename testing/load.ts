/** Runs the load generator (rehearsal/load/) against a rehearsed platform, in a separate process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { cloudAddresses, cloudFolder, type CloudSettings } from "../rehearsal/cloud/settings.ts";

const reportSchema = z.object({
  answered: z.record(z.string(), z.number()),
  failures: z.array(z.object({ began: z.string(), time: z.string(), what: z.string(), why: z.string() })),
  reconnected: z.number(),
  latency: z.object({ median: z.number(), p99: z.number(), slowest: z.number() }),
  ledger: z.object({
    acknowledged: z.number(),
    lost: z.array(z.string()),
    doubled: z.array(z.string()),
    unconfirmed: z.array(z.string()),
  }),
});
export type LoadReport = z.infer<typeof reportSchema>;

export interface RunningLoad {
  /** Stops the load, looks up every acknowledged order, and resolves with the report. */
  readonly stop: () => Promise<LoadReport>;
}

/**
 * @param url of the platform, whose host name is a proxied one of the cloud
 * @param seconds after which it ends if it is not stopped
 */
export function startLoad(root: string, { instance, block }: CloudSettings, url: string, seconds = 900): RunningLoad {
  const folder = cloudFolder(root, instance);
  const report = join(folder, "load.json");
  const child = spawn(
    process.execPath,
    [
      ...[join(root, "rehearsal", "load", "main.ts"), "--url", url, "--at", cloudAddresses(block).edge],
      // As much as two cores can serve that also run the platform.
      ...["--orders", "2", "--pages", "2", "--uploads", "0.2", "--sockets", "3"],
      ...["--seconds", String(seconds), "--report", report],
    ],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, "edge-authority.pem") }, stdio: "ignore" },
  );
  // Also when this process fails: nothing else would end it.
  const endToo = () => child.kill("SIGKILL");
  process.once("exit", endToo);
  const ended = once(child, "exit").finally(() => process.off("exit", endToo));
  return {
    stop: async () => {
      // Only once: at a second signal it ends immediately, without a report.
      if (!child.killed) child.kill("SIGTERM");
      await ended;
      return reportSchema.parse(JSON.parse(readFileSync(report, "utf8")));
    },
  };
}
