/** Runs `make migrate-up` and `make init-prod`: a command in an app's container, as the role that may change tables. */
import { assignments } from "../common/shell.ts";
import { filledIn, namesIn } from "../config/template.ts";
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
export function asMigrator(
  root: string,
  { stack, variables, settings }: StackFile,
  engines: Engines,
  access: Access,
): Outcome {
  const url = stackOutput(root, stack, "databaseUrl", "--show-secrets");
  if (url === undefined) throw new UserError(`Stack '${stack}' is not up yet; run: make up ${variables}`);
  const container = engines.container(access.service);
  return engines
    .of(access.service)
    .feed(`${migratorVariables(url, settings.app.environment)}\n`, ...dockerArguments(access, container, false));
}

/** The database's URL, and the stack's own variables that are made of it alone. Pure. */
export function migratorVariables(url: string, own: Readonly<Record<string, string>>): string {
  const known = { DATABASE_URL: url };
  const made = Object.entries(own).filter(
    ([, text]) => namesIn(text).length > 0 && namesIn(text).every((name) => name in known),
  );
  return assignments({ ...known, ...Object.fromEntries(made.map(([name, text]) => [name, filledIn(text, known)])) });
}
