/** Runs the migrations in a container of an app, as the role that may change tables. */
import type { Outcome } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { type Access, accessTo, dockerArguments } from "./container-commands.ts";
import { type Engines, stackOutput } from "./engines.ts";
import type { StackFile } from "./stack-file.ts";

export const migrate = (root: string, file: StackFile, engines: Engines): Outcome =>
  asMigrator(root, file, engines, accessTo(file.topology, "migrate-up", undefined));

/**
 * Runs a command of an app's container with the URL of the role that migrates.
 *
 * @throws {UserError} when the stack is not up
 */
export function asMigrator(root: string, { stack, variables }: StackFile, engines: Engines, access: Access): Outcome {
  const url = stackOutput(root, stack, "databaseUrl", "--show-secrets");
  if (url === undefined) throw new UserError(`Stack '${stack}' is not up yet; run: make up ${variables}`);
  const container = engines.container(access.service);
  return engines.of(access.service).feed(`${url}\n`, ...dockerArguments(access, container, false));
}
