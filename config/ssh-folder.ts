/** Creates this machine's folder for ssh: known hosts and shared connections of a stack's servers. */
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";

/** Only its owner may enter it: its sockets are open connections to every server. */
export function makeSshFolder(folder: string): void {
  mkdirSync(folder.replace(/^~(?=\/|$)/, homedir()), { recursive: true, mode: 0o700 });
}
