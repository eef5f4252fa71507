/** `make sbom`: lists what the images that this repository builds contain, as SPDX documents. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { tryRun } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { builtImages } from "../images/built.ts";
import { pythonTool } from "./python-tools.ts";
import type { StackFile } from "./stack-file.ts";
import { bold, say, table } from "./terminal.ts";

const documentSchema = z.object({
  spdxVersion: z.string(),
  packages: z.array(
    z.object({
      name: z.string(),
      versionInfo: z.string().default(""),
      externalRefs: z.array(z.object({ referenceLocator: z.string() })).default([]),
    }),
  ),
});

export type SpdxDocument = z.infer<typeof documentSchema>;

/** How many packages a document lists, by the kind of their package URL: `deb`, `pypi`. Pure. */
export function packageCounts({ packages }: SpdxDocument): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { externalRefs } of packages) {
    const kind = externalRefs.flatMap(({ referenceLocator }) => /^pkg:([^/]+)\//.exec(referenceLocator)?.[1] ?? [])[0];
    if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/**
 * Writes `.orion/sbom/<image>-<tag>.spdx.json` for each image that is built here.
 *
 * @param project folder of the program
 * @throws {UserError} when an image is not on this machine, or syft cannot be installed
 */
export async function sbom(project: string, { settings }: StackFile): Promise<number> {
  const syft = await pythonTool(project, "syft");
  const folder = join(project, ".orion", "sbom");
  mkdirSync(folder, { recursive: true });
  const rows: string[][] = [];
  const { app, docs } = builtImages(project, settings);
  for (const reference of [app, docs]) {
    const file = join(folder, `${reference.replace(/^orion\//, "").replace(":", "-")}.spdx.json`);
    const { code, output } = await tryRun(
      syft,
      ["scan", `docker:${reference}`, "--quiet", "--output", `spdx-json=${file}`],
      {
        environment: { SYFT_CHECK_FOR_APP_UPDATE: "false", DOCKER_HOST: settings.dockerHost },
      },
    );
    if (code !== 0) {
      throw new UserError(
        `${reference} could not be read; make images builds it:\n${output.trim().split("\n").slice(-3).join("\n")}`,
      );
    }
    const counts = packageCounts(documentSchema.parse(JSON.parse(readFileSync(file, "utf8"))));
    const listed = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
    rows.push([reference, listed.join(", "), file.slice(project.length + 1)]);
  }
  say(table([["image", "packages", "file"].map(bold), ...rows]));
  return 0;
}
