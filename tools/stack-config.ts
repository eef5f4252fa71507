/** Sets and removes a key of a stack's file through the engine, which keeps the rest of the file. */
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";

/** @param key with its namespace, and a path below it: `orion:app.image` */
export function setConfig(root: string, stack: string, key: string, value: string): void {
  const { code, stderr } = runSync("pulumi", ["config", "set", "--path", key, value, "--stack", stack, "--cwd", root]);
  if (code !== 0) throw new UserError(`${key} could not be set:\n${stderr.trim()}`);
}

export function removeConfig(root: string, stack: string, key: string): void {
  const { code, stderr } = runSync("pulumi", ["config", "rm", key, "--stack", stack, "--cwd", root]);
  if (code !== 0) throw new UserError(`${key} could not be removed:\n${stderr.trim()}`);
}
