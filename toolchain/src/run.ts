/** Starting programs, behind a function that tests replace. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

export interface Outcome {
  /** The exit code; 127 when the program does not exist, 124 when it took too long. */
  readonly code: number;
  /** What it printed; empty when that went to a log. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file that gets everything the program prints, instead of the outcome. */
  readonly log?: string;
  /** After this many seconds the program is ended. */
  readonly timeout?: number;
}

export type Runner = (program: string, args: readonly string[], options?: RunOptions) => Promise<Outcome>;

/** Runs a program to its end, without a terminal. Never rejects. */
export const run: Runner = (program, args, { cwd, env, log, timeout } = {}) =>
  new Promise((resolve) => {
    const output = log === undefined ? undefined : openSync(log, "a");
    const child = spawn(program, [...args], {
      stdio: ["ignore", output ?? "pipe", output ?? "pipe"],
      ...(cwd !== undefined && { cwd }),
      ...(env !== undefined && { env: { ...env } }),
      ...(timeout !== undefined && { timeout: timeout * 1000, killSignal: "SIGKILL" }),
    });
    if (output !== undefined) closeSync(output);
    const printed = { stdout: "", stderr: "" };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (printed.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (printed.stderr += text));
    child.on("error", (error: NodeJS.ErrnoException) => {
      resolve({ ...printed, code: error.code === "ENOENT" ? 127 : 126, stderr: error.message });
    });
    child.on("close", (code, signal) => {
      resolve({ ...printed, code: code ?? (timeout !== undefined && signal === "SIGKILL" ? 124 : 1) });
    });
  });
