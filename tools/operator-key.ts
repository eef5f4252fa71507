/** `make operator-key`: puts the SSH key that a CI job has as a secret to where ssh and the program look for it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../common/user-error.ts";
import type { StackFile } from "./stack-file.ts";

/** Variable that holds the private key. */
export const operatorKeyVariable = "OPERATOR_KEY";

/**
 * Writes the key to `orion:admin.identityFile`, else to ~/.ssh/id_ed25519, which only its owner can read.
 *
 * @param key the private key; empty or undefined: ssh's own keys of this machine are used
 * @returns what was done
 * @throws {UserError} when the file has another key: it may be the only copy
 */
export function writeOperatorKey(
  { settings }: Pick<StackFile, "settings">,
  key: string | undefined,
  home = homedir(),
): string {
  if (key === undefined || key.trim() === "") {
    return `${operatorKeyVariable} is not set: the keys that ssh finds on this machine are used.`;
  }
  const named = settings.admin.identityFile;
  const path = named === undefined ? join(home, ".ssh", "id_ed25519") : named.replace(/^~(?=\/)/, home);
  const text = `${key.trim()}\n`;
  if (existsSync(path)) {
    if (readFileSync(path, "utf8") === text) return `${path} has the key already.`;
    throw new UserError(
      `${path} holds another key, which is not overwritten. Let orion:admin.identityFile name another file.`,
    );
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { mode: 0o600 });
  return `The key is in ${path}.`;
}
