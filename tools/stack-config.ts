/** Reads, sets and removes a key of a stack's file through the engine, which keeps the rest of the file. */
import { z } from "zod";
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";

const configSchema = z.record(z.string(), z.object({ value: z.string().optional() }));

/** The values of a stack's configuration, secrets as well, by their keys with namespace. @throws {UserError} */
export function readConfig(root: string, stack: string): (key: string) => string | undefined {
  const { code, stdout, stderr } = runSync("pulumi", [
    ...["config", "--json", "--show-secrets", "--stack", stack, "--cwd", root],
  ]);
  if (code !== 0) throw new UserError(`The configuration of '${stack}' could not be read:\n${stderr.trim()}`);
  const config = configSchema.parse(JSON.parse(stdout));
  return (key) => config[key]?.value;
}

/** @param key with its namespace, and a path below it: `orion:app.image` */
export function setConfig(root: string, stack: string, key: string, value: string): void {
  const { code, stderr } = runSync("pulumi", ["config", "set", "--path", key, value, "--stack", stack, "--cwd", root]);
  if (code !== 0) throw new UserError(`${key} could not be set:\n${stderr.trim()}`);
}

export function removeConfig(root: string, stack: string, key: string): void {
  const { code, stderr } = runSync("pulumi", ["config", "rm", key, "--stack", stack, "--cwd", root]);
  if (code !== 0) throw new UserError(`${key} could not be removed:\n${stderr.trim()}`);
}
