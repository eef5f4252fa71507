/**
 * Asks a Docker Engine through its API, over one connection for as many questions as there are: a docker command for each costs
 * forty times the processor time, which containers that start beside it need.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { Duplex } from "node:stream";
import { sshArguments } from "../common/ssh.ts";
import type { Engine } from "./docker.ts";

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface DockerApi {
  /** @throws {Error} when the Docker Engine does not answer */
  ask(method: "GET" | "POST", path: string, body?: unknown): Promise<Answer>;
  close(): void;
}

const answerSeconds = 30;

/** The connections of this process, by the Docker Engine's address, with the number of their users. */
const shared = new Map<string, { readonly agent: StdioAgent; users: number }>();

/**
 * Connects with `docker system dial-stdio`, as the docker command does: it knows every kind of address. Callers that ask an
 * engine at the same time share a connection, on which each question waits for the answer to the one before.
 *
 * @param questions `quick` and `slow` ones have a connection each, so that none waits for a slow one; `own`: no other caller shares it
 */
export function connectDocker(engine: Engine, questions: "quick" | "slow" | "own" = "quick"): DockerApi {
  const sharedBy = questions === "own" ? randomUUID() : questions;
  const key = JSON.stringify([engine.dockerHost, engine.sshOptions, sharedBy]);
  const one = shared.get(key) ?? { agent: new StdioAgent(engine), users: 0 };
  shared.set(key, one);
  one.users++;
  let isOpen = true;
  return {
    ask: (method, path, body) => askBy(one.agent, method, path, body),
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      one.users--;
      if (one.users > 0) return;
      shared.delete(key);
      one.agent.end();
    },
  };
}

function askBy(agent: StdioAgent, method: "GET" | "POST", path: string, body?: unknown): Promise<Answer> {
  const text = body === undefined ? "" : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        ...{ agent, method, path, host: "docker" },
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.once("error", reject);
        response.once("end", () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) });
        });
      },
    );
    call.once("error", (error) => {
      reject(new Error(agent.complaint() || error.message, { cause: error }));
    });
    call.end(text);
    // Not by the option `timeout` of a request, which sets a timer of its socket: a pipe has none.
    const late = setTimeout(() => call.destroy(new Error(`no answer within ${answerSeconds} s`)), answerSeconds * 1000);
    call.once("close", () => {
      clearTimeout(late);
    });
  });
}

/** Makes the connection, and again when it has been lost. */
class StdioAgent extends Agent {
  readonly #engine: Engine;
  #child: ChildProcess | undefined;
  #said = "";

  constructor(engine: Engine) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#engine = engine;
  }

  /** What the program that makes the connection complains about. */
  complaint(): string {
    return this.#said.trim().split("\n").at(-1) ?? "";
  }

  override createConnection(): Duplex {
    const { dockerHost, sshOptions = [] } = this.#engine;
    const words = ["docker", "system", "dial-stdio"];
    const isRemote = dockerHost.startsWith("ssh://");
    const [program = "", ...args] = isRemote ? ["ssh", ...sshArguments(dockerHost, sshOptions, words)] : words;
    const environment = isRemote ? process.env : { ...process.env, DOCKER_HOST: dockerHost };
    const child = spawn(program, args, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
    this.#said = "";
    child.stderr.on("data", (text: Buffer) => {
      this.#said = (this.#said + text.toString()).slice(-2000);
    });
    this.#child = child;
    const connection = Duplex.from({ readable: child.stdout, writable: child.stdin });
    child.once("error", (error) => connection.destroy(error));
    // What an HTTP agent expects of a socket; a pipe has no such settings.
    const same = () => connection;
    return Object.assign(connection, {
      setKeepAlive: same,
      setNoDelay: same,
      setTimeout: same,
      ref: same,
      unref: same,
    });
  }

  end(): void {
    this.destroy();
    this.#child?.kill();
  }
}
