/**
 * Runs other programs to their end, in one way for the plugin, the tools, the toolchain, the images and the rehearsal cloud.
 *
 * A program that ran gives an {@link Outcome}, whatever its exit code. A program that cannot be started is a
 * {@link StartError}; `tryRun` reports it as a shell does instead. `must` turns every failure into an error.
 */
import { spawn, spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "./user-error.ts";

export interface RunOptions {
  /** Working directory. @default - that of this process */
  readonly cwd?: string;
  /** Variables added to those of this process; undefined removes one. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What the program reads from its standard input. @default - nothing */
  readonly input?: string | Buffer | Readable;
  /** The program is stopped after this time. @default - no limit */
  readonly timeoutSeconds?: number;
  /** The program is stopped when it has printed nothing by then. @default - no limit */
  readonly silenceSeconds?: number;
  /** A file that everything the program prints is appended to. */
  readonly log?: string;
}

export interface Outcome {
  /** Exit code; undefined when a time limit stopped the program. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output and standard error in the order in which they came, at most the last 64 KiB. */
  readonly output: string;
}

export type Run = (program: string, args: readonly string[], options?: RunOptions) => Promise<Outcome>;

/** A program that could not be started. */
export class StartError extends UserError {
  /** What a shell reports: 127 for a program that does not exist, 126 for one that may not be executed. */
  readonly code: 126 | 127;

  constructor(program: string, cause: NodeJS.ErrnoException) {
    const isMissing = cause.code === "ENOENT";
    super(
      isMissing
        ? `The program '${program}' was not found; install it and run again.`
        : `The program '${program}' could not be started: ${cause.message}`,
      { cause },
    );
    this.code = isMissing ? 127 : 126;
  }
}

const keptOutput = 64 * 1024;
/** A program that ignores the request to stop is killed after this time. */
const killSeconds = 5;

/** Runs a program without a terminal. @throws {StartError} when it cannot be started */
export const run: Run = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    const { cwd, input, timeoutSeconds, silenceSeconds, log } = options;
    const child = spawn(program, [...args], {
      ...(cwd !== undefined && { cwd }),
      env: environmentOf(options),
      stdio: ["pipe", "pipe", "pipe"],
    });
    const file = log === undefined ? undefined : createWriteStream(log, { flags: "a" });
    file?.on("error", reject);
    const printed = { stdout: "", stderr: "", output: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        printed[name] += text;
        printed.output = (printed.output + text).slice(-keptOutput);
        file?.write(text);
      });
    }

    let isStopped = false;
    const timers: NodeJS.Timeout[] = [];
    const after = (seconds: number | undefined, act: () => void) => {
      if (seconds !== undefined) timers.push(setTimeout(act, seconds * 1000));
    };
    const stop = () => {
      isStopped = true;
      child.kill("SIGTERM");
      after(killSeconds, () => child.kill("SIGKILL"));
    };
    after(timeoutSeconds, stop);
    after(silenceSeconds, () => {
      if (printed.output === "") stop();
    });

    const end = (code: number | null) => {
      for (const timer of timers) clearTimeout(timer);
      // Children of a stopped program may hold its output open.
      if (isStopped) for (const stream of [child.stdout, child.stderr]) stream.destroy();
      const outcome = { ...printed, code: isStopped ? undefined : (code ?? 1) };
      if (file)
        file.end(() => {
          resolve(outcome);
        });
      else resolve(outcome);
    };
    child.once("error", (error) => {
      for (const timer of timers) clearTimeout(timer);
      file?.end();
      reject(new StartError(program, error));
    });
    child.once("close", end);
    child.once("exit", (code) => {
      if (isStopped) end(code);
    });
    feed(child.stdin, input);
  });

/** Like `run`, but a program that cannot be started has failed with the code that a shell reports. Never rejects. */
export const tryRun: Run = async (program, args, options) => {
  try {
    return await run(program, args, options);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return { code: error.code, stdout: "", stderr: error.message, output: error.message };
  }
};

/** Like `run`, but blocks until the program ends. @throws {StartError} when it cannot be started */
export function runSync(
  program: string,
  args: readonly string[],
  options: Omit<RunOptions, "log" | "silenceSeconds" | "input"> & { readonly input?: string } = {},
): Outcome {
  const { cwd, input, timeoutSeconds } = options;
  const { error, status, stdout, stderr } = spawnSync(program, [...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: environmentOf(options),
    ...(cwd !== undefined && { cwd }),
    ...(input !== undefined && { input }),
    ...(timeoutSeconds !== undefined && { timeout: timeoutSeconds * 1000 }),
  });
  const isStopped = isErrno(error) && error.code === "ETIMEDOUT";
  // A program that ends before it has read everything reports why by its exit code.
  const isDeaf = isErrno(error) && error.code === "EPIPE";
  if (error && !isStopped && !isDeaf) throw new StartError(program, error);
  return { code: isStopped ? undefined : (status ?? 1), stdout, stderr, output: (stdout + stderr).slice(-keptOutput) };
}

/**
 * Runs a program that has to succeed.
 *
 * @param options `allow` lists exit codes other than 0 that are no failure
 * @returns its standard output
 * @throws {Error} with the end of what the program printed when it fails
 */
export async function must(
  program: string,
  args: readonly string[],
  options: RunOptions & { readonly allow?: readonly number[] } = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code !== undefined && [0, ...(options.allow ?? [])].includes(code)) return stdout;
  const reason = code === undefined ? "it took too long" : (stderr.trim() || stdout.trim()).slice(-500);
  throw new Error(`${program} ${args.slice(0, 2).join(" ")}: ${reason}`);
}

/** Runs a program in the user's terminal, which handles Ctrl-C. @returns its exit code. @throws {StartError} */
export function runInteractive(
  program: string,
  args: readonly string[],
  options: Pick<RunOptions, "cwd" | "environment"> = {},
): Promise<number> {
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    const { cwd } = options;
    const child = spawn(program, [...args], {
      stdio: "inherit",
      env: environmentOf(options),
      ...(cwd !== undefined && { cwd }),
    });
    child.once("error", (error) => {
      reject(new StartError(program, error));
    });
    child.once("close", (code) => {
      resolve(code ?? 1);
    });
  }).finally(() => process.off("SIGINT", ignore));
}

const environmentOf = ({ environment = {} }: RunOptions): NodeJS.ProcessEnv => ({ ...process.env, ...environment });

/** Writes the input. A program that ends before it has read everything reports why by its exit code, not by a broken pipe. */
function feed(stdin: NodeJS.WritableStream, input: RunOptions["input"]): void {
  const ignore = () => undefined;
  stdin.on("error", ignore);
  if (input === undefined) stdin.end();
  else if (typeof input === "string" || Buffer.isBuffer(input)) stdin.end(input);
  else pipeline(input, stdin).catch(ignore);
}

const isErrno = (error: Error | undefined): error is NodeJS.ErrnoException => error !== undefined && "code" in error;
