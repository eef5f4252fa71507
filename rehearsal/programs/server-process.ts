/** Runs a server program as a child process: starts it, waits until it is ready, stops it. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface ServerProcessOptions {
  readonly title: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** File for its output. */
  readonly log: string;
  /** Address at which it accepts connections when it is ready. */
  readonly address: { readonly host: string; readonly port: number };
}

/** A running server program. */
export class ServerProcess {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.#ended = new Promise((resolve) =>
      child.once("exit", () => {
        resolve();
      }),
    );
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * Starts the program and waits until it accepts connections.
   *
   * @throws {Error} when it is not ready within 20 s
   */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const output = openSync(options.log, "a");
    // The child is killed when this process ends, even by SIGKILL.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", options.program, ...options.args], {
      cwd: options.cwd,
      env: options.env,
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    const server = new ServerProcess(child);
    const failed = new Promise<never>((_resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => {
        reject(new Error(`The ${options.title} ended with code ${String(code)}; see ${options.log}`));
      });
    });
    try {
      await Promise.race([failed, isReady(options)]);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Sends SIGTERM, and SIGKILL after 5 s. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null || this.#process.pid === undefined) return;
    this.#process.kill("SIGTERM");
    const force = setTimeout(() => this.#process.kill("SIGKILL"), 5_000);
    await this.#ended;
    clearTimeout(force);
  }
}

async function isReady({ title, address, log }: ServerProcessOptions): Promise<void> {
  const end = Date.now() + 20_000;
  while (Date.now() < end) {
    if (await accepts(address)) return;
    await sleep(50);
  }
  throw new Error(`The ${title} does not answer at ${address.host}:${address.port} within 20 s; see ${log}`);
}

const accepts = ({ host, port }: ServerProcessOptions["address"]): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
