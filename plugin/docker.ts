/** Runs the docker command line for an engine: on this machine, or over SSH on the engine's own machine. */
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
  /** Docker's standard input; unlike arguments it is not in the process list, so it may hold secrets. */
  readonly input?: string;
  readonly timeoutSeconds: number;
}

export type Docker = (call: DockerCall) => Promise<Outcome>;

/** Node.js and sshd pass a socket as standard input, which `/dev/stdin` cannot open; `cat` turns it into a pipe. */
const piped = 'cat | docker "$@"';

/** A {@link Docker} that runs programs of this machine. */
export const dockerBy =
  (run: Run): Docker =>
  ({ engine: { dockerHost, sshOptions = [] }, args, input, timeoutSeconds }) => {
    const words = input === undefined ? ["docker", ...args] : ["sh", "-c", piped, "docker", ...args];
    const options = { timeoutSeconds, ...(input !== undefined && { input }) };
    if (dockerHost.startsWith("ssh://")) return run("ssh", sshArguments(dockerHost, sshOptions, words), options);
    const [program = "docker", ...rest] = words;
    return run(program, rest, { ...options, environment: { DOCKER_HOST: dockerHost } });
  };
