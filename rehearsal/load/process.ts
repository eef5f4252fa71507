/** Runs the load generator against a rehearsed platform, in a separate process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { cloudAddresses, cloudFolder, type CloudSettings } from "../cloud/settings.ts";

const failureSchema = z.object({ began: z.string(), time: z.string(), what: z.string(), why: z.string() });

export const loadReportSchema = z.object({
  /** When it began, in milliseconds since 1970. */
  began: z.number(),
  answered: z.record(z.string(), z.number()),
  /** Each answered request by kind: its start in milliseconds after `began`, and its milliseconds. */
  requests: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]))),
  failures: z.array(failureSchema),
  reconnected: z.number(),
  latency: z.object({ median: z.number(), p99: z.number(), slowest: z.number() }),
  ledger: z.object({
    acknowledged: z.number(),
    lost: z.array(z.string()),
    doubled: z.array(z.string()),
    unconfirmed: z.array(z.string()),
  }),
});
export type LoadReport = z.infer<typeof loadReportSchema>;

export interface RunningLoad {
  /** Stops the load, looks up every acknowledged order, and resolves with the report. */
  readonly stop: () => Promise<LoadReport>;
}

/** What the load sends: requests per second, and WebSockets. As much as two cores can serve that also run the platform. */
const usualLoad = { orders: 2, pages: 2, uploads: 0.2, sockets: 3 } as const;

/** What it sends to an app that is not the sample application: pages alone. */
const loadOfPages = { orders: 0, pages: 4, uploads: 0, sockets: 0 } as const;

export type Rates = Readonly<Record<keyof typeof usualLoad, number>>;

/** @param pages paths of the app's own pages; @default - the sample application's orders, pages, files and WebSockets */
export const ratesOf = (pages: readonly string[] | undefined): Rates => (pages === undefined ? usualLoad : loadOfPages);

/**
 * @param root folder of the project
 * @param url of the platform, whose host name is a proxied one of the cloud
 * @param seconds after which it ends if it is not stopped
 * @param pages paths that are asked in turn, for an app without the sample application's. @default - as `ratesOf`
 */
export function startLoad(
  root: string,
  { instance, block }: CloudSettings,
  url: string,
  seconds = 900,
  pages?: readonly string[],
): RunningLoad {
  const folder = cloudFolder(root, instance);
  const report = join(folder, "load.json");
  // That of a load before must not be taken for this one's.
  rmSync(report, { force: true });
  const rates = Object.entries(ratesOf(pages)).flatMap(([what, rate]) => [`--${what}`, String(rate)]);
  const paths = (pages ?? []).flatMap((path) => ["--page", path]);
  const child = spawn(
    process.execPath,
    [
      ...[join(root, "rehearsal", "load", "main.ts"), "--url", url, "--at", cloudAddresses(block).edge],
      ...rates,
      ...paths,
      ...["--seconds", String(seconds), "--report", report],
    ],
    // A process group of its own: Ctrl-C must not end it before its ledger has been looked up.
    {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, "edge-authority.pem") },
      stdio: "ignore",
      detached: true,
    },
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
      if (!existsSync(report)) throw new Error("The load ended without a report: the platform did not answer at all.");
      return loadReportSchema.parse(JSON.parse(readFileSync(report, "utf8")));
    },
  };
}
