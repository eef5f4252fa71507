/**
 * `make outdated`: what is behind, and by how much: images, npm, Python and Go packages, the engine, the packages of the stack's servers, and
 * lists in config/. What cannot be asked is said.
 */
import { tryRun } from "../../common/process.ts";
import { imagePins } from "../../config/images.ts";
import type { StackFile } from "../stack-file.ts";
import { say } from "../terminal.ts";
import { askForDigests, imageItems, newPins, writePins } from "./images.ts";
import { priceItem, rangesItem } from "./lists.ts";
import { goItems, npmItems, pipItems } from "./packages.ts";
import { digestOf } from "./registry-api.ts";
import { type Item, reportOf } from "./report.ts";
import { serverItems } from "./servers.ts";

export interface OutdatedOptions {
  /** Whether to print JSON. */
  readonly json: boolean;
  /** Whether to write the digests that the registries have now into config/image-pins.json. */
  readonly write: boolean;
}

/**
 * @param root folder of the stack's Pulumi project
 * @param project folder of the program
 * @returns 0, whatever is behind; 1 when digests were to be written and a registry did not answer for one
 */
export async function outdated(
  root: string,
  project: string,
  file: StackFile,
  { json, write }: OutdatedOptions,
): Promise<number> {
  const now = new Date();
  const [answers, ...packages] = await Promise.all([
    askForDigests(file.settings.images, digestOf),
    npmItems(project, tryRun),
    pipItems(project, tryRun),
    goItems(project, tryRun),
    rangesItem(),
  ]);
  // Blocks this process, so it comes after the questions that run at the same time.
  const items: Item[] = [
    ...imageItems(answers, imagePins, now),
    ...packages.flat(),
    priceItem(now),
    ...serverItems(root, file, now),
  ];
  say(json ? JSON.stringify(items, null, 2) : reportOf(items));
  if (!write) return 0;
  const pins = newPins(answers, imagePins, now);
  writePins(project, pins);
  const silent = [...answers].flatMap(([name, answer]) => ("why" in answer ? [name] : []));
  if (!json) {
    say(
      `\nconfig/image-pins.json has the digests of ${Object.keys(pins).length} images` +
        (silent.length === 0
          ? "; look at the change, commit it, and roll it out with make patch."
          : `; not asked for: ${silent.join(", ")}. What they had before stays.`),
    );
  }
  return silent.length === 0 ? 0 : 1;
}
