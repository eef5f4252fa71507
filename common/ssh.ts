/** Options and arguments with which this machine's ssh reaches a server. Pure. */
import { quotedWords } from "./shell.ts";

export interface SshOptionsArgs {
  /** Folder of this machine for known hosts and shared connections; `~` is the user's home. */
  readonly folder: string;
  /** Private key to log in with. @default - the keys that ssh finds */
  readonly identityFile?: string | undefined;
  /** The server's id at Hetzner. */
  readonly serverId: string;
}

/**
 * Options of the system's ssh, the same for the program, the plugin and the tools.
 *
 * ssh connects only to a server that shows a key of its file of known hosts, which the program writes (common/known-hosts.ts).
 * The file is named after the server's id, so that a new server at an old address has its own file.
 */
export function sshOptions({ folder, identityFile, serverId }: SshOptionsArgs): string[] {
  const options = [
    // One connection carries a whole update: a connection for each container would exceed sshd's limits.
    ...["ControlMaster=auto", `ControlPath=${folder}/%C`, "ControlPersist=60"],
    ...["StrictHostKeyChecking=yes", `UserKnownHostsFile=${folder}/known-hosts-${serverId}`],
    ...["ConnectTimeout=10", "ServerAliveInterval=15", "ServerAliveCountMax=4"],
  ];
  return [
    ...options.flatMap((option) => ["-o", option]),
    ...(identityFile === undefined ? [] : ["-o", "IdentitiesOnly=yes", "-i", identityFile]),
  ];
}

/**
 * Arguments of ssh that run a command on a host.
 *
 * @param host `ssh://user@host[:port]`
 * @param words the command; each word arrives unchanged, whatever characters it has
 */
export function sshArguments(host: string, options: readonly string[], words: readonly string[]): string[] {
  const { username, hostname, port } = new URL(host);
  const target = username === "" ? hostname : `${username}@${hostname}`;
  return [...options, "-o", "BatchMode=yes", ...(port === "" ? [] : ["-p", port]), target, quotedWords(words)];
}
