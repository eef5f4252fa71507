/** `orion:index:DrainDelay`: waits after a route changed, and before it is deleted, so that open requests complete. */
import { z } from "zod";
import { type Clock, systemClock } from "../common/clock.ts";

export const drainDelaySchema = z.strictObject({
  /** The route that visitors take, for example an address. */
  route: z.string().min(1),
  /** How long to wait after the route has changed. No wait for the first route. */
  afterChangeSeconds: z.number().min(0),
  /** How long to wait at deletion: after its dependents were deleted, before its dependencies are. */
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
