/** Runs commands on the Docker Engines of a stack: on this machine, or on its servers over SSH. */
import type { Readable } from "node:stream";
import { z } from "zod";
import { type Outcome, run, runSync, runInteractive } from "../common/process.ts";
import { readHostKeys, restoreHostKey } from "../common/known-hosts.ts";
import { quotedWords } from "../common/shell.ts";
import { UserError } from "../common/user-error.ts";
import type { Service } from "../topology/service.ts";
import type { Resource } from "./state.ts";
import type { StackFile } from "./stack-file.ts";

type Program = (words: readonly string[], terminal: boolean) => [string, string[]];

/** Docker's filters for the services' containers of a stack. @param service its name; @default all */
export const labelFilters = (stack: string, service?: string): string[] =>
  ["app=orion", `stack=${stack}`, service === undefined ? "service" : `service=${service}`].flatMap((label) => [
    "--filter",
    `label=${label}`,
  ]);

/** Docker's arguments that list the containers of a stack's services; {@link Engine.serviceContainers}. */
export const serviceContainersArguments = (stack: string, format: string, service?: string): string[] => [
  ...["container", "ls", "--all", "--no-trunc"],
  ...[...labelFilters(stack, service), "--format", format],
];

export class Engine {
  readonly #docker: readonly string[];
  /** Builds the command line that runs a program on the Docker Engine's machine. */
  readonly #program: Program;
  readonly #ssh: readonly string[];

  private constructor(docker: readonly string[], program: Program, ssh: readonly string[] = []) {
    this.#docker = docker;
    this.#program = program;
    this.#ssh = ssh;
  }

  /** @param dockerHost address of the Docker Engine for this machine's docker command */
  static local(dockerHost: string): Engine {
    return new Engine(["docker", "--host", dockerHost], ([program = "", ...args]) => [program, args]);
  }

  /** @param ssh arguments with which ssh logs in */
  static onServer(ssh: readonly string[]): Engine {
    const [options, target] = [ssh.slice(0, -1), ssh.slice(-1)];
    const program: Program = (words, terminal) => [
      "ssh",
      [...options, "-o", "LogLevel=ERROR", ...(terminal ? ["-t"] : []), ...target, quotedWords(words)],
    ];
    return new Engine(["docker"], program, ssh);
  }

  /** The same machine by a new connection that times out after some seconds, for a machine that may be dead. */
  impatient(): Engine {
    const options = ["ControlPath=none", "ConnectTimeout=5", "ServerAliveInterval=5", "ServerAliveCountMax=2"];
    return this.#ssh.length === 0 ? this : Engine.onServer([...options.flatMap((one) => ["-o", one]), ...this.#ssh]);
  }

  /** Runs a docker command and keeps what it prints. */
  capture(...args: readonly string[]): Outcome {
    return this.captureOnHost(...this.#docker, ...args);
  }

  /**
   * The containers of a stack's services, also those that have ended, a line each, the newest first.
   *
   * @param format of a line, as Docker takes it; ids are whole
   * @param service its name; @default all
   */
  serviceContainers(stack: string, format: string, service?: string): Outcome {
    return this.capture(...serviceContainersArguments(stack, format, service));
  }

  /** Runs a program of the Docker Engine's machine and keeps what it prints. */
  captureOnHost(...words: readonly string[]): Outcome {
    return runSync(...this.#program(words, false));
  }

  /** Like `captureOnHost`, for a caller that goes on meanwhile. */
  askOnHost(words: readonly string[], input?: string): Promise<Outcome> {
    return run(...this.#program(words, false), input === undefined ? {} : { input });
  }

  /** Like `capture`, for a caller that goes on meanwhile. */
  ask(...args: readonly string[]): Promise<Outcome> {
    return this.askOnHost([...this.#docker, ...args]);
  }

  /** Program and arguments that run a docker command, for a caller that starts it itself. */
  command(...args: readonly string[]): [string, string[]] {
    return this.#program([...this.#docker, ...args], false);
  }

  /** Ends the shared connection to a server that was rebooted: ssh would wait for it until it times out. */
  disconnect(): void {
    if (this.#ssh.length > 0) runSync("ssh", ["-O", "exit", ...this.#ssh], { timeoutSeconds: 10 });
  }

  /** Forwards a loopback port of the server to the same port of this machine, until the user ends it. @returns ssh's exit code */
  tunnel(port: number, localPort: number): Promise<number> {
    const forward = ["-N", "-o", "ExitOnForwardFailure=yes", "-L", `127.0.0.1:${localPort}:127.0.0.1:${port}`];
    return runInteractive("ssh", [...forward, ...this.#ssh]);
  }

  /** Like `captureOnHost`, with standard input. */
  feedOnHost(input: string, ...words: readonly string[]): Outcome {
    return runSync(...this.#program(words, false), { input });
  }

  /** Runs a program of the Docker Engine's machine that reads a stream. */
  streamToHost(input: Readable, ...words: readonly string[]): Promise<Outcome> {
    return run(...this.#program(words, false), { input });
  }

  /** Runs a docker command with standard input, and keeps what it prints. */
  feed(input: string, ...args: readonly string[]): Outcome {
    return this.feedOnHost(input, ...this.#docker, ...args);
  }

  /** Runs a docker command in the user's terminal. @returns its exit code */
  interactive(args: readonly string[], terminal: boolean): Promise<number> {
    return this.interactiveOnHost([...this.#docker, ...args], terminal);
  }

  /** Runs a program of the Docker Engine's machine in the user's terminal. @returns its exit code */
  interactiveOnHost(words: readonly string[], terminal: boolean): Promise<number> {
    return runInteractive(...this.#program(words, terminal));
  }
}

const providerSchema = z.object({ host: z.string(), sshOpts: z.string().default("[]") });

/** A Docker Engine whose provider is in a state. */
export interface StatedEngine {
  /** `<urn>::<id>` of the provider, as resources refer to it. */
  readonly provider: string;
  /** `unix://`, `tcp://` or `ssh://`. */
  readonly host: string;
  readonly engine: Engine;
}

/** The Docker Engines of a state's providers; unlike outputs, they are known also after a failed first update. */
export const enginesIn = (resources: readonly Resource[]): StatedEngine[] =>
  resources
    .filter(({ type }) => type === "pulumi:providers:docker")
    .map(({ urn, id, inputs }) => {
      const { host, sshOpts } = providerSchema.parse(inputs);
      return { provider: `${urn}::${String(id)}`, host, engine: engineAt(host, sshOpts) };
    });

/** @param options for ssh, as JSON */
function engineAt(host: string, options: string): Engine {
  if (!host.startsWith("ssh:")) return Engine.local(host);
  const { username, hostname } = new URL(host);
  return Engine.onServer([...z.array(z.string()).parse(JSON.parse(options)), `${username}@${hostname}`]);
}

const hostKeysSchema = z.record(z.string(), z.string());
const sshSchema = z.record(z.string(), z.array(z.string()).min(1));

/** Finds the Docker Engine of each service of a stack. */
export class Engines {
  /** Folder of the Pulumi project. */
  readonly root: string;
  readonly #file: StackFile;
  readonly #ssh: () => Readonly<Record<string, readonly string[]>>;
  readonly #known = new Map<string, Engine>();

  constructor(root: string, file: StackFile) {
    this.root = root;
    this.#file = file;
    let read: z.infer<typeof sshSchema> | undefined;
    this.#ssh = () => (read ??= readSsh(root, file.stack));
  }

  /** @throws {UserError} when the service's server is not up yet */
  of({ server }: Pick<Service, "server">): Engine {
    const engine = this.#known.get(server) ?? this.#make(server);
    this.#known.set(server, engine);
    return engine;
  }

  /**
   * The current name of a service's container; undefined when there is none. While it is replaced there are two; then it is
   * the newest one's.
   *
   * @throws {UserError} when the Docker Engine does not answer
   */
  find(service: Service): string | undefined {
    const engine = this.of(service);
    const { code, stdout, stderr } = engine.serviceContainers(this.#file.stack, "{{.Names}}", service.name);
    if (code === 0) return stdout.split("\n").find((name) => name !== "");
    throw new UserError(`The Docker Engine of '${service.server}' does not answer: ${stderr.trim()}`);
  }

  /** The name of a service's container. @throws {UserError} when there is none */
  container(service: Service): string {
    const found = this.find(service);
    if (found !== undefined) return found;
    const { stack, variables } = this.#file;
    throw new UserError(
      `The service '${service.name}' of stack '${stack}' has no container; create it with: make up ${variables} REFRESH=1`,
    );
  }

  #make(server: string): Engine {
    if (server === "local") return Engine.local(this.#file.settings.dockerHost);
    const ssh = this.#ssh()[server];
    if (ssh) return Engine.onServer(ssh);
    throw new UserError(
      `Stack '${this.#file.stack}' has no server ${server} yet; bring it up first: make up ${this.#file.variables}`,
    );
  }
}

/** Gives this machine the host keys of a stack's servers, for a Docker Engine that is connected to before the program has run. */
export const knowHosts = (root: string, stack: string): void => {
  readSsh(root, stack);
};

function readSsh(root: string, stack: string): z.infer<typeof sshSchema> {
  const text = stackOutput(root, stack, "ssh", "--json");
  const ssh = text === undefined ? {} : sshSchema.parse(JSON.parse(text));
  restoreHostKeys(root, stack, ssh);
  return ssh;
}

/** Gives this machine the host keys that the stack knows, where it knows none itself: it may be another operator's. */
function restoreHostKeys(root: string, stack: string, ssh: z.infer<typeof sshSchema>): void {
  const servers = Object.entries(ssh).filter(([, words]) => readHostKeys(words).length === 0);
  if (servers.length === 0) return;
  const text = stackOutput(root, stack, "hostKeys", "--json");
  const keys = text === undefined ? {} : hostKeysSchema.parse(JSON.parse(text));
  for (const [server, words] of servers) {
    const key = keys[server];
    if (key !== undefined) restoreHostKey(`ssh://${words.at(-1) ?? ""}`, words, key);
  }
}

/**
 * An output of a stack; undefined when the stack or the output does not exist.
 *
 * @throws {UserError} when the engine fails, for instance without the passphrase
 */
export function stackOutput(root: string, stack: string, name: string, ...options: string[]): string | undefined {
  const { code, stdout, stderr } = runSync("pulumi", [
    ...["stack", "output", name, ...options, "--stack", stack, "--cwd", root],
  ]);
  if (code === 0) return stdout.trim();
  if (/does not have output property|no stack named/.test(stderr)) return undefined;
  throw new UserError(`The output ${name} of stack '${stack}' could not be looked up:\n${stderr.trim()}`);
}
