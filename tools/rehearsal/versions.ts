/** The versions that a rehearsal was done with, for its report. */
import { cpus, totalmem } from "node:os";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { runSync } from "../../common/process.ts";
import { type Delivery, isStandIn } from "./images.ts";

export interface Version {
  readonly what: string;
  readonly version: string;
}

const packageSchema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

/** @param root folder of the project */
export function versionsOf(root: string, deliveries: readonly Delivery[]): Version[] {
  const { version, dependencies } = packageSchema.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  const plugins = Object.entries(dependencies).filter(([name]) => name.startsWith("@pulumi/"));
  return [
    { what: "this program", version: [version, commitOf(root)].filter((each) => each !== "").join(", commit ") },
    { what: "Pulumi", version: runSync("pulumi", ["version"]).stdout.trim() },
    { what: "Node.js", version: process.version },
    ...plugins.map(([name, each]) => ({ what: name, version: each })),
    ...deliveries.map((delivery) => ({ what: `image ${delivery.key}`, version: imageVersion(delivery) })),
    {
      what: "machine",
      version: `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`,
    },
  ];
}

const imageVersion = (delivery: Delivery): string =>
  isStandIn(delivery) ? `${delivery.image}, in place of ${delivery.reference}` : delivery.reference;

/** The commit, marked when files differ from it; empty without a repository. */
function commitOf(root: string): string {
  const commit = runSync("git", ["rev-parse", "--short=10", "HEAD"], { cwd: root });
  if (commit.code !== 0) return "";
  const changed = runSync("git", ["status", "--porcelain", "--untracked-files=no"], { cwd: root }).stdout !== "";
  return `${commit.stdout.trim()}${changed ? " with changes" : ""}`;
}
