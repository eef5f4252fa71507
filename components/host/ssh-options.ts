/** How this machine's ssh talks to a server. Pure. */
import { quoted } from "./shell.ts";

export interface SshOptionsArgs {
  /** Folder of this machine for known hosts and shared connections; `~` is the user's home. */
  readonly folder: string;
  /** Private key to log in with. @default - what ssh finds itself */
  readonly identityFile?: string | undefined;
  /** Hetzner's number of the server. */
  readonly serverId: string;
}

/**
 * Options of the system's ssh, the same for whoever runs it.
 *
 * A server's key is taken on trust once and held to ever after; the file is named after the server's number, so that a
 * new server at an old address is a new acquaintance.
 */
export function sshOptions({ folder, identityFile, serverId }: SshOptionsArgs): string[] {
  const options = [
    // One connection carries all of an update: a new one for each container would meet sshd's limits.
    ...["ControlMaster=auto", `ControlPath=${folder}/%C`, "ControlPersist=60"],
    ...["StrictHostKeyChecking=accept-new", `UserKnownHostsFile=${folder}/known-hosts-${serverId}`],
    ...["ConnectTimeout=10", "ServerAliveInterval=15", "ServerAliveCountMax=4"],
  ];
  return [
    ...options.flatMap((option) => ["-o", option]),
    ...(identityFile === undefined ? [] : ["-o", "IdentitiesOnly=yes", "-i", identityFile]),
  ];
}

/** A command as one argument of ssh: each word arrives as it is, whatever a shell would make of it. */
export const sshWords = (words: readonly string[]): string =>
  words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoted(word))).join(" ");
