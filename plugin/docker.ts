/** The docker command line, on this machine for a local engine and on its own machine for one that is reached over SSH. */
import type { Outcome, Run } from "../common/process.ts";
import { sshArguments } from "../common/ssh.ts";

/** A Docker Engine. */
export interface Engine {
  /** `unix://`, `tcp://` or `ssh://user@host[:port]`. */
  readonly dockerHost: string;
  /** Options of the system's ssh for an `ssh://` address. */
  readonly sshOptions?: readonly string[] | undefined;
}

export interface DockerCall {
  readonly engine: Engine;
  readonly args: readonly string[];
  /** What docker reads from its standard input: there, no secret stands in a process list. */
  readonly input?: string;
  readonly timeoutSeconds: number;
}

export type Docker = (call: DockerCall) => Promise<Outcome>;

/** Node.js and sshd hand over sockets, which `/dev/stdin` cannot open; `cat` makes a pipe of them. */
const piped = 'cat | docker "$@"';

/** Docker by running programs of this machine. */
export const dockerBy =
  (run: Run): Docker =>
  ({ engine: { dockerHost, sshOptions = [] }, args, input, timeoutSeconds }) => {
    const words = input === undefined ? ["docker", ...args] : ["sh", "-c", piped, "docker", ...args];
    const options = { timeoutSeconds, ...(input !== undefined && { input }) };
    if (dockerHost.startsWith("ssh://")) return run("ssh", sshArguments(dockerHost, sshOptions, words), options);
    const [program = "docker", ...rest] = words;
    return run(program, rest, { ...options, environment: { DOCKER_HOST: dockerHost } });
  };
