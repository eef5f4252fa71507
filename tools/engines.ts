/** The Docker Engines of a stack: the one of this machine, or those of its servers over SSH. */
import { z } from "zod";
import { sshWords } from "../components/host/ssh-options.ts";
import { type Service } from "../topology/types.ts";
import { type Captured, capture, runInteractive } from "./run.ts";
import { type StackFile } from "./stack-file.ts";
import { UserError } from "./user-error.ts";

type Program = (words: readonly string[], terminal: boolean) => [string, string[]];

export class Engine {
  readonly #docker: readonly string[];
  /** How a program of the engine's machine is run. */
  readonly #program: Program;

  private constructor(docker: readonly string[], program: Program) {
    this.#docker = docker;
    this.#program = program;
  }

  /** @param dockerHost address of an engine that this machine's docker command speaks to */
  static local(dockerHost: string): Engine {
    return new Engine(["docker", "--host", dockerHost], ([program = "", ...args]) => [program, args]);
  }

  /** @param ssh arguments with which ssh logs in */
  static onServer(ssh: readonly string[]): Engine {
    const [options, target] = [ssh.slice(0, -1), ssh.slice(-1)];
    return new Engine(["docker"], (words, terminal) => [
      "ssh",
      [...options, "-o", "LogLevel=ERROR", ...(terminal ? ["-t"] : []), ...target, sshWords(words)],
    ]);
  }

  /** Runs a docker command and keeps what it prints. */
  capture(...args: readonly string[]): Captured {
    return this.captureOnHost(...this.#docker, ...args);
  }

  /** Runs a program of the engine's machine and keeps what it prints. */
  captureOnHost(...words: readonly string[]): Captured {
    return capture(...this.#program(words, false));
  }

  /** The same, with something to read. */
  feedOnHost(input: string, ...words: readonly string[]): Captured {
    return capture(...this.#program(words, false), input);
  }

  /** Runs a docker command in the user's terminal. @returns its exit code */
  interactive(args: readonly string[], terminal: boolean): Promise<number> {
    return this.interactiveOnHost([...this.#docker, ...args], terminal);
  }

  /** Runs a program of the engine's machine in the user's terminal. @returns its exit code */
  interactiveOnHost(words: readonly string[], terminal: boolean): Promise<number> {
    return runInteractive(...this.#program(words, terminal));
  }
}

const sshSchema = z.record(z.string(), z.array(z.string()).min(1));

/** Finds the engine of each service of a stack. */
export class Engines {
  readonly #file: StackFile;
  readonly #ssh: () => Readonly<Record<string, readonly string[]>>;
  readonly #known = new Map<string, Engine>();

  constructor(root: string, file: StackFile) {
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
   * The name of a service's container at this moment; undefined when there is none. One that is being replaced has two;
   * the newest is meant.
   *
   * @throws {UserError} when the engine does not answer
   */
  find(service: Service): string | undefined {
    const { code, stdout, stderr } = this.of(service).capture(
      ...["container", "ls", "--all", "--filter", "label=app=orion", "--filter", `label=stack=${this.#file.stack}`],
      ...["--filter", `label=service=${service.name}`, "--format", "{{.Names}}"],
    );
    if (code === 0) return stdout.split("\n").find((name) => name !== "");
    throw new UserError(`The Docker Engine of '${service.server}' does not answer: ${stderr.trim()}`);
  }

  /** The name of a service's container. @throws {UserError} when there is none */
  container(service: Service): string {
    const found = this.find(service);
    if (found !== undefined) return found;
    const { stack, variables } = this.#file;
    throw new UserError(
      `The service '${service.name}' of stack '${stack}' has no container; make up ${variables} makes it.`,
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

function readSsh(root: string, stack: string): z.infer<typeof sshSchema> {
  const { code, stdout, stderr } = capture("pulumi", [
    ...["stack", "output", "ssh", "--json", "--stack", stack, "--cwd", root],
  ]);
  if (code === 0) return sshSchema.parse(JSON.parse(stdout));
  if (/does not have output property|no stack named/.test(stderr)) return {};
  throw new UserError(`The servers of stack '${stack}' could not be looked up:\n${stderr.trim()}`);
}
