/** `orion:index:DrainDelay`: waits while visitors who are still on an old route finish. */
import { z } from "zod";
import { type Clock, systemClock } from "../common/clock.ts";

export const drainDelaySchema = z.strictObject({
  /** The route that visitors take, for example an address; another value is a reason to wait. */
  route: z.string().min(1),
  /** How long to wait after the route has changed. The first route follows no other, so nothing waits. */
  afterChangeSeconds: z.number().min(0),
  /** How long to wait when the resource is deleted: after what depends on it, and before what it depends on. */
  atRemovalSeconds: z.number().min(0),
});
export type DrainDelayInputs = z.infer<typeof drainDelaySchema>;

/** Inputs as the type `orion:index:Pause` had them: `route` was called `way`. */
export const fromPause = ({ way, ...inputs }: Record<string, unknown>): Record<string, unknown> => ({
  ...(way !== undefined && { route: way }),
  ...inputs,
});

export async function delayAfterChange(
  { route, afterChangeSeconds }: DrainDelayInputs,
  before?: DrainDelayInputs,
  clock: Clock = systemClock,
): Promise<void> {
  if (before && before.route !== route) await clock.sleep(afterChangeSeconds * 1000);
}

export async function delayAtRemoval(
  { atRemovalSeconds }: DrainDelayInputs,
  clock: Clock = systemClock,
): Promise<void> {
  await clock.sleep(atRemovalSeconds * 1000);
}
