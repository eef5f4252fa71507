/** Runs the guard inside the program that the engine runs. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../common/user-error.ts";
import type { StackConfig } from "../config/load.ts";
import { apart } from "../policy/compose.ts";
import { makeVariables, rehearsalCloud } from "../toolchain/src/environment.ts";
import { runningState } from "./backend.ts";
import { allow, judge, type GuardArgs } from "./guard.ts";

type UpdateArgs = Omit<GuardArgs, "state" | "asking"> & Pick<StackConfig, "stack" | "secret">;

/**
 * Checks the update or preview that the engine is running; nothing may be registered before. Dangers are warnings of it.
 *
 * @throws {pulumi.RunError} when something protected would be lost, with what to do instead
 */
export async function guardUpdate({ stack, secret, ...args }: UpdateArgs): Promise<void> {
  const root = projectFolder();
  try {
    const state = runningState(root, stack);
    const password = await valueOf(secret("registryPassword"));
    const { login } = args.settings.images;
    const asking = login && password !== undefined ? { login: { ...login, password } } : {};
    const move = await apart(() => judge({ ...args, state, asking }));
    const notes = move ? allow(move, makeVariables(stack, rehearsalCloud(root))) : [];
    for (const note of notes) await pulumi.log.warn(note);
  } catch (error) {
    throw error instanceof UserError ? new pulumi.RunError(error.message) : error;
  }
}

/** The folder of the Pulumi project, which older engines do not tell the program. */
function projectFolder(): string {
  const told = pulumi.getRootDirectory();
  if (existsSync(join(told, "Pulumi.yaml"))) return told;
  // Where the toolchain puts the state by itself; a rehearsal has a project apart from the program.
  const [, folder] = /^file:\/\/(\/.*)\/\.orion\/state\b/.exec(process.env["PULUMI_BACKEND_URL"] ?? "") ?? [];
  return folder ?? process.cwd();
}

/** The value of a secret of the configuration, which the engine has decrypted already. */
const valueOf = (secret: pulumi.Output<string> | undefined): Promise<string> | undefined =>
  secret && new Promise((resolve) => secret.apply(resolve));
