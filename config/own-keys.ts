/** Finds out whether this machine can log in with one of `orion:admin.sshPublicKeys`, before anything is made. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import * as pulumi from "@pulumi/pulumi";
import { runSync } from "../common/process.ts";
import { keyFingerprint } from "./public-key.ts";
import type { Settings } from "./schema.ts";

type Admin = Settings["admin"];

/**
 * The problem when no private key of this machine belongs to a configured key: servers would refuse the program itself.
 *
 * @param run runs ssh's own programs; tests replace it
 * @returns undefined when one belongs to it, and when that cannot be told: a private key with a passphrase and no `.pub` file
 */
export function sshKeyProblem(admin: Admin, run: typeof runSync = runSync): string | undefined {
  if (admin.identityFile !== undefined && !existsSync(expanded(admin.identityFile))) {
    return `orion:admin.identityFile: got ${JSON.stringify(admin.identityFile)}, allowed: a private key file of this machine; there is no such file`;
  }
  const found = admin.identityFile === undefined ? keysOfSsh(run) : [publicKeyOf(admin.identityFile, run)];
  const known = found.filter((key) => key !== undefined);
  const allowed = new Set(admin.sshPublicKeys.map(keyFingerprint));
  if (known.length < found.length || known.some((key) => allowed.has(keyFingerprint(key)))) return undefined;
  const at = admin.identityFile ?? "the keys that ssh finds on this machine";
  return (
    `orion:admin.sshPublicKeys: got ${admin.sshPublicKeys.length} keys, none of which belongs to ${at}; allowed: a list with the ` +
    "public key of this machine, or every server would refuse the program. Add it (ssh-keygen -y -f FILE prints it), or let " +
    "orion:admin.identityFile name the private key of one of them. Nothing was changed."
  );
}

/**
 * Ends an update in which no server would let the program in. A preview only warns: it connects to no server, and may run on a
 * machine that has no key.
 *
 * @throws {pulumi.RunError}
 */
export function refuseUnusableKeys(admin: Admin): void {
  const problem = sshKeyProblem(admin);
  if (problem === undefined) return;
  if (!pulumi.runtime.isDryRun()) throw new pulumi.RunError(problem);
  void pulumi.log.warn(problem);
}

/** The keys that ssh tries on its own: those of its agent, and the files that its configuration names. */
function keysOfSsh(run: typeof runSync): (string | undefined)[] {
  const settings = run("ssh", ["-G", "root@192.0.2.1"])
    .stdout.split("\n")
    .map((line) => line.split(" "));
  // A token: only its own library knows what is on it.
  if (settings.some(([key, value]) => key === "pkcs11provider" && value !== "none")) return [undefined];
  const files = settings.flatMap(([key, path = ""]) =>
    key === "identityfile" && existsSync(expanded(path)) ? [path] : [],
  );
  const agent = run("ssh-add", ["-L"]);
  const inAgent = agent.code === 0 ? agent.stdout.split("\n").filter((line) => line !== "") : [];
  return [...inAgent, ...files.map((path) => publicKeyOf(path, run))];
}

/** The public half of a private key file; undefined when it has a passphrase and no `.pub` file beside it. */
function publicKeyOf(path: string, run: typeof runSync): string | undefined {
  const file = expanded(path);
  // An empty passphrase: without one ssh-keygen would ask.
  const { code, stdout } = run("ssh-keygen", ["-y", "-P", "", "-f", file]);
  if (code === 0) return stdout.trim();
  return existsSync(`${file}.pub`) ? readFileSync(`${file}.pub`, "utf8").trim() : undefined;
}

const expanded = (path: string): string => path.replace(/^~(?=\/|$)/, homedir());
