/** Runs a shell script on a server, over SSH. */
import type { Outcome, Run } from "./process.ts";
import { sshArguments } from "./ssh.ts";

export interface OnServer {
  /** `ssh://user@host[:port]` */
  readonly host: string;
  /** Options of the system's ssh. */
  readonly sshOptions: readonly string[];
}

export interface OnServerOptions {
  readonly timeoutSeconds: number;
  /** Options of ssh that come before the server's own, and so take their place. @default - none */
  readonly first?: readonly string[];
  /** How the server gets the script: a list of processes shows an argument. @default "input" */
  readonly by?: "input" | "argument";
}

export function onServer(
  run: Run,
  { host, sshOptions }: OnServer,
  script: string,
  { timeoutSeconds, first = [], by = "input" }: OnServerOptions,
): Promise<Outcome> {
  const words = by === "input" ? ["sh", "-s"] : ["sh", "-c", script];
  const args = sshArguments(host, [...first, ...sshOptions], words);
  return run("ssh", args, { ...(by === "input" && { input: script }), timeoutSeconds });
}
