/** The folder in which this machine keeps what its ssh knows of the servers. */
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";

/** Makes it where it is missing, for its owner alone: its sockets are open connections to every server. */
export function makeSshFolder(folder: string): void {
  mkdirSync(folder.replace(/^~(?=\/|$)/, homedir()), { recursive: true, mode: 0o700 });
}
