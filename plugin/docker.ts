/** Runs the docker command line for an engine: on this machine, or over SSH on the engine's own machine. */
import type { Outcome, Run } from "../common/process.ts";
import { quoted } from "../common/shell.ts";
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
  /** Variables of the docker command itself, for `--env NAME`: of values that no file of variables takes. Also in no argument. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

export type Docker = (call: DockerCall) => Promise<Outcome>;

/** Node.js and sshd pass a socket as standard input, which `/dev/stdin` cannot open; `cat` turns it into a pipe. */
const piped = 'cat | docker "$@"';

/** The same, after a first line that sets variables, in which `$n` stands for the end of a line. */
const withVariables = `n=$(printf '\\nx') n=\${n%x}; IFS= read -r variables && eval "$variables"; ${piped}`;

/** That line. */
const lineOf = (variables: Readonly<Record<string, string>>): string =>
  `${Object.entries(variables)
    .map(([name, value]) => `export ${name}=${value.split("\n").map(quoted).join('"$n"')};`)
    .join(" ")}\n`;

/** A {@link Docker} that runs programs of this machine. */
export const dockerBy =
  (run: Run): Docker =>
  ({ engine: { dockerHost, sshOptions = [] }, args, input: own, variables = {}, timeoutSeconds }) => {
    const sets = Object.keys(variables).length > 0;
    const input = sets ? lineOf(variables) + (own ?? "") : own;
    const words =
      input === undefined ? ["docker", ...args] : ["sh", "-c", sets ? withVariables : piped, "docker", ...args];
    const options = { timeoutSeconds, ...(input !== undefined && { input }) };
    if (dockerHost.startsWith("ssh://")) return run("ssh", sshArguments(dockerHost, sshOptions, words), options);
    const [program = "docker", ...rest] = words;
    return run(program, rest, { ...options, environment: { DOCKER_HOST: dockerHost } });
  };
