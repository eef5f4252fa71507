/** A rehearsal cloud without machines, as the process that it is for its users. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Outcome, tryRun } from "../../../../common/process.ts";
import { isRecord } from "../../../../common/record.ts";
import {
  type CloudChoices,
  cloudFolder,
  type CloudSettings,
  makeSettings,
} from "../../../../rehearsal/cloud/settings.ts";
import type { Json } from "../../../../rehearsal/json.ts";
import { freePort } from "../../../../common/ports.ts";

const root = resolve(__dirname, "..", "..", "..", "..");

export interface Answer {
  readonly status: number;
  readonly body: Json;
}

export class EmulatorProcess {
  readonly #folder: string;
  readonly settings: CloudSettings;
  #child: ChildProcess | undefined;

  private constructor(choices: CloudChoices) {
    const name = `t${randomBytes(3).toString("hex")}`;
    this.#folder = cloudFolder(root, name);
    this.settings = makeSettings(this.#folder, name, { machines: "none", block: 80, ...choices });
  }

  /** A new cloud, which answers. */
  static async start(choices: CloudChoices = {}): Promise<EmulatorProcess> {
    const made = new EmulatorProcess({ port: await freePort(), ...choices });
    await made.up();
    return made;
  }

  /** Starts the process. @throws what it said, when it ends instead of answering */
  async up(): Promise<void> {
    const main = join(root, "rehearsal", "cloud", "main.ts");
    const child = spawn(process.execPath, [main, this.settings.instance], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    await new Promise<void>((done, fail) => {
      let said = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          if (said.includes("is up.")) done();
        });
      }
      child.once("exit", () => {
        fail(new Error(said));
      });
    });
  }

  /** Ends the process at once, whatever it does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs the command line of the rehearsal cloud, for this cloud. */
  cli(command: string, ...words: readonly string[]): Promise<Outcome> {
    const program = join(root, "rehearsal", "cloud", "cli.ts");
    return tryRun(process.execPath, [program, command, ...words, "--name", this.settings.instance]);
  }

  async call(
    method: string,
    path: string,
    payload?: unknown,
    options: { readonly token?: string; readonly host?: string; readonly signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const { token = this.settings.token, host = "127.0.0.1", signal } = options;
    const response = await fetch(`http://${host}:${this.settings.port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        // The process may be another one at the next call.
        connection: "close",
        ...(payload !== undefined && { "content-type": "application/json" }),
      },
      ...(payload !== undefined && { body: JSON.stringify(payload) }),
      ...(signal && { signal }),
    });
    const text = await response.text();
    const body: unknown = text === "" ? {} : JSON.parse(text);
    return { status: response.status, body: isRecord(body) ? body : {} };
  }
}
