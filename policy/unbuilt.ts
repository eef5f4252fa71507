/** Refuses a stack that this version plans but cannot bring up yet. Pure. */
import { UserError } from "../common/user-error.ts";
import { builtPhases, unbuiltTraits } from "../config/presets.ts";
import type { Settings } from "../config/schema.ts";

/** @throws {UserError} when the stack has traits that this version cannot bring up */
export function refuseUnbuilt(settings: Settings): void {
  const unbuilt = unbuiltTraits(settings);
  if (unbuilt.length === 0) return;
  throw new UserError(
    `The stack needs ${unbuilt.join(", ")}, which this version plans but cannot bring up yet. ` +
      `Nothing was changed. Choose one of the phases ${builtPhases.join(", ")}, or another value.`,
  );
}
