/** Time for those who are still on the way that is about to be taken away. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

export const pauseSchema = z.strictObject({
  /** The way; another one is a reason to wait. */
  way: z.string().min(1),
  /** How long to wait after it has changed, for visitors who are still on the old one. The first way has no old one. */
  afterChangeSeconds: z.number().min(0),
  /** How long to wait when the resource is deleted: after what depends on it, and before what it depends on. */
  atRemovalSeconds: z.number().min(0),
});
export type PauseInputs = z.infer<typeof pauseSchema>;

export async function pauseAfterChange({ way, afterChangeSeconds }: PauseInputs, before?: PauseInputs): Promise<void> {
  if (before && before.way !== way) await sleep(afterChangeSeconds * 1000);
}

export async function pauseAtRemoval({ atRemovalSeconds }: PauseInputs): Promise<void> {
  await sleep(atRemovalSeconds * 1000);
}
