/**
 * This machine's files of known SSH host keys, one for each server. The program writes them itself, so that ssh has a key to
 * compare with before the first connection and never accepts one on its own.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const option = "UserKnownHostsFile=";

/** The file of known hosts that ssh's options name. @throws {Error} when they name none */
function knownHostsFile(sshOptions: readonly string[]): string {
  const path = sshOptions.find((word) => word.startsWith(option))?.slice(option.length);
  if (path === undefined) throw new Error(`ssh's options have no ${option.slice(0, -1)}: ${sshOptions.join(" ")}`);
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}

/** The host keys of a server that this machine knows, as `algorithm key`. The file has no other server's. */
export function readHostKeys(sshOptions: readonly string[]): string[] {
  let text: string;
  try {
    text = readFileSync(knownHostsFile(sshOptions), "utf8");
  } catch {
    return [];
  }
  // The host's name is the first word, often as a hash.
  return text.split("\n").flatMap((line) => {
    const [, algorithm, key] = line.trim().split(/\s+/);
    return algorithm !== undefined && key !== undefined && !line.startsWith("#") ? [`${algorithm} ${key}`] : [];
  });
}

/**
 * Makes these the only host keys with which ssh connects to the server.
 *
 * @param host `ssh://user@host[:port]`
 * @param keys as `algorithm key`
 */
export function writeHostKeys(host: string, sshOptions: readonly string[], keys: readonly string[]): void {
  const { hostname, port } = new URL(host);
  const name = port === "" || port === "22" ? hostname : `[${hostname}]:${port}`;
  const path = knownHostsFile(sshOptions);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // In one step: ssh may read the file at any time.
  writeFileSync(`${path}.new`, keys.map((key) => `${name} ${key}\n`).join(""), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Writes a server's host key where this machine knows none, such as the machine of another operator. */
export function restoreHostKey(host: string, sshOptions: readonly string[], key: string): void {
  if (readHostKeys(sshOptions).length === 0) writeHostKeys(host, sshOptions, [key]);
}
