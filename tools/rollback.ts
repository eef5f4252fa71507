/** `make rollback`: updates the stack with the image that ran before the current one. */
import { z } from "zod";
import { runSync, runInteractive } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { setConfig } from "./stack-config.ts";
import type { StackFile } from "./stack-file.ts";
import { bold, confirm, isTerminal, say } from "./terminal.ts";

const historySchema = z.array(
  z.object({
    kind: z.string(),
    result: z.string(),
    endTime: z.string().optional(),
    config: z.record(z.string(), z.object({ value: z.string().optional() })).optional(),
  }),
);
export type History = z.infer<typeof historySchema>;

export interface Earlier {
  readonly image: string;
  /** When an update with it succeeded. */
  readonly time: string;
}

/**
 * The image of the last successful update with another image than `current`. Pure.
 *
 * @param history the newest first, as the engine lists it
 */
export function earlierImage(current: string, history: History): Earlier | undefined {
  return history
    .filter(({ kind, result }) => kind === "update" && result === "succeeded")
    .flatMap(({ config, endTime = "" }) => {
      const image = imageIn(config?.["orion:app"]?.value);
      return image === undefined || image === current ? [] : [{ image, time: endTime }];
    })[0];
}

/** `orion:app` is an object, which the engine keeps as JSON. */
function imageIn(value: string | undefined): string | undefined {
  try {
    return z.object({ image: z.string().optional() }).safeParse(JSON.parse(value ?? "{}")).data?.image;
  } catch {
    return undefined;
  }
}

/**
 * Goes back to the image before. The database keeps its version: an older image runs on it as long as migrations only add, and
 * its own migrations are not run.
 *
 * @returns the engine's exit code
 */
export async function rollback(root: string, { stack, settings }: StackFile, yes: boolean): Promise<number> {
  const current = settings.app.image;
  if (current === undefined) {
    throw new UserError(
      `Stack '${stack}' runs the image that is built from sample-app/; check out an older commit instead. A rollback needs orion:app.image.`,
    );
  }
  const earlier = earlierImage(current, readHistory(root, stack));
  if (!earlier) {
    throw new UserError(`Stack '${stack}' has had no successful update with another image than ${current}.`);
  }
  say(`From ${bold(current)} back to ${bold(earlier.image)}, which an update of ${earlier.time} ran.`);
  say("The database keeps its version; migrations are not run.");
  if (!yes && !(await confirm("Change the stack's file and update?"))) {
    say(isTerminal ? "Nothing was done." : "Nothing was done: without a terminal, agree with YES=1.");
    return 1;
  }
  for (const key of ["orion:app.image", "orion:app.skipMigrationsFor"]) setConfig(root, stack, key, earlier.image);
  return runInteractive("pulumi", ["up", "--stack", stack, "--cwd", root, "--yes", "--skip-preview"]);
}

function readHistory(root: string, stack: string): History {
  const { code, stdout, stderr } = runSync("pulumi", [
    ...["stack", "history", "--json", "--page-size", "100", "--stack", stack, "--cwd", root],
  ]);
  if (code !== 0) throw new UserError(`The updates of stack '${stack}' could not be listed:\n${stderr.trim()}`);
  return historySchema.parse(JSON.parse(stdout));
}
