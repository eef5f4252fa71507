/** Where a rehearsed move starts: a platform that is up, with its own rows or with restored ones. */
import { UserError } from "../../common/user-error.ts";
import { rehearsalFolder } from "../../rehearsal/cloud/settings.ts";
import { describeStack, parseStackText, readStackFile, readStackText, type StackFile } from "../stack-file.ts";
import { say } from "../terminal.ts";
import { findDeliveries } from "./images.ts";
import { isUp } from "./is-up.ts";
import { rehearse, type RehearseOptions } from "./rehearse.ts";
import { dataSource } from "./data/source.ts";
import { type RestoredData, restoreData } from "./data/restore.ts";

export interface StartOptions extends RehearseOptions {
  /** The phase that is brought up when nothing is up yet. @default that of the stack's file */
  readonly from: string | undefined;
  /** The dump that is restored: `latest` or a file. @default - none */
  readonly data: string | undefined;
}

export interface Started {
  /** The stack as it is before the move. */
  readonly before: StackFile;
  readonly data: RestoredData | undefined;
}

/**
 * Brings the platform up if nothing is up yet, and restores the data.
 *
 * @throws {UserError} when one or the other fails
 */
export async function start(options: StartOptions): Promise<Started> {
  const { root, stack, cloud } = options;
  const folder = rehearsalFolder(root, cloud, stack);
  const own = describeStack(stack, parseStackText(stack, readStackText(root, stack)));
  // First of all: a dump that cannot be read is known before ten minutes have gone by.
  const source =
    options.data === undefined
      ? undefined
      : await dataSource({ root, choice: options.data, settings: own.settings, rclone: await rcloneOf(root, own) });
  if (!isUp(folder, stack)) {
    const phase = options.from ?? own.settings.phase;
    say(`Nothing is up yet on the rehearsal cloud '${cloud}': phase ${phase} comes first.`);
    if ((await rehearse({ ...options, phase })) !== 0)
      throw new UserError(`Phase ${phase} did not come up; see above.`);
  }
  const before = readStackFile(folder, stack);
  const data = source === undefined ? undefined : await restoreData(root, folder, before, source);
  return { before, data };
}

/** rclone's image on this machine. */
async function rcloneOf(root: string, file: StackFile): Promise<string> {
  const found = (await findDeliveries(root, file)).find(({ key }) => key === "rclone");
  return found?.image ?? "rclone/rclone:1";
}
