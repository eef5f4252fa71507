/** Time for those who are still on the way that is about to be taken away. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

export const pauseSchema = z.strictObject({
  /** The way; another one is a reason to wait. */
  way: z.string().min(1),
  /** How long, after it has changed. The first way of all has nobody on an old one. */
  afterChangeSeconds: z.number().min(0),
  /** How long, when it is taken away: what depends on this is gone by then, what this depends on goes after it. */
  atRemovalSeconds: z.number().min(0),
});
export type PauseInputs = z.infer<typeof pauseSchema>;

export async function pauseAfterChange({ way, afterChangeSeconds }: PauseInputs, before?: PauseInputs): Promise<void> {
  if (before && before.way !== way) await sleep(afterChangeSeconds * 1000);
}

export async function pauseAtRemoval({ atRemovalSeconds }: PauseInputs): Promise<void> {
  await sleep(atRemovalSeconds * 1000);
}
