/** Programs of this machine, run to their end. */
import { spawn } from "node:child_process";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutSeconds: number;
}

export interface Ran {
  /** Exit code, or undefined when the time was over. */
  readonly code: number | undefined;
  /** Standard output and standard error as they came, at most the last 64 KiB. */
  readonly output: string;
}

export type Run = (command: Command) => Promise<Ran>;

const keptOutput = 64 * 1024;

/** Runs one program to its end, or ends it when its time is over. */
export const spawnProgram: Run = ({ program, args, environment = {}, input, timeoutSeconds }) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      env: { ...process.env, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let output = "";
    let expired = false;
    const collect = (chunk: Buffer) => (output = (output + chunk.toString("utf8")).slice(-keptOutput));
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    // A program that ends early says why by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
    const timer = setTimeout(() => {
      expired = true;
      child.kill("SIGTERM");
    }, timeoutSeconds * 1000);
    child.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(
        error.code === "ENOENT" ? new Error(`the command '${program}' was not found; install it and run again`) : error,
      );
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: expired ? undefined : (code ?? 1), output });
    });
  });
