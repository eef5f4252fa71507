/** The docker command line, on this machine for a local engine and on its own machine for one that is reached over SSH. */
import { sshArguments } from "../common/ssh.ts";
import { type Ran, type Run } from "./run.ts";

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

export type Docker = (call: DockerCall) => Promise<Ran>;

/** Node.js and sshd hand over sockets, which `/dev/stdin` cannot open; `cat` makes a pipe of them. */
const piped = 'cat | docker "$@"';

/** Docker by running programs of this machine. */
export const dockerBy =
  (run: Run): Docker =>
  ({ engine: { dockerHost, sshOptions = [] }, args, input, timeoutSeconds }) => {
    const words = input === undefined ? ["docker", ...args] : ["sh", "-c", piped, "docker", ...args];
    const common = { timeoutSeconds, ...(input !== undefined && { input }) };
    if (dockerHost.startsWith("ssh://")) {
      return run({ ...common, program: "ssh", args: sshArguments(dockerHost, sshOptions, words) });
    }
    const [program = "docker", ...rest] = words;
    return run({ ...common, program, args: rest, environment: { DOCKER_HOST: dockerHost } });
  };
