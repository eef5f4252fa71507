/** Runs the guard inside the program that the engine runs. */
import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../common/user-error.ts";
import type { StackConfig } from "../config/load.ts";
import { apart } from "../policy/compose.ts";
import { makeVariables, rehearsalCloud } from "../toolchain/src/environment.ts";
import { runningState } from "./backend.ts";
import { allow, judge, type GuardArgs } from "./guard.ts";

/**
 * Checks the update or preview that the engine is running; nothing may be registered before. Dangers are warnings of it.
 *
 * @throws {pulumi.RunError} when something protected would be lost, with what to do instead
 */
export async function guardUpdate({ stack, ...args }: Omit<GuardArgs, "state"> & Pick<StackConfig, "stack">) {
  const root = pulumi.getRootDirectory();
  try {
    const state = runningState(root, stack);
    const move = await apart(() => judge({ ...args, state }));
    const notes = move ? allow(move, makeVariables(stack, rehearsalCloud(root))) : [];
    for (const note of notes) await pulumi.log.warn(note);
  } catch (error) {
    throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
  }
}
