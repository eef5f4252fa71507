/** Programs of the host, run to their end. */
import { spawn } from "node:child_process";

export interface CommandOptions {
  /** What the program reads from its standard input. */
  readonly input?: string;
  /** Exit codes other than 0 that are no failure. */
  readonly allow?: readonly number[];
}

/**
 * What a program printed.
 *
 * @throws {Error} with the program's last words when it fails
 */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { input, allow = [] } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    // A program that ends early says why by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
    child.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "ENOENT" ? new Error(`the program '${program}' was not found`) : error);
    });
    child.once("close", (code) => {
      if (code === 0 || (code !== null && allow.includes(code))) resolve(stdout);
      else
        reject(new Error(`${program} ${args.slice(0, 2).join(" ")}: ${(stderr.trim() || stdout.trim()).slice(-500)}`));
    });
  });
}

export const docker = (...args: readonly string[]): Promise<string> => command("docker", args);

/** Like `docker`, but what fails because it is not there, or is so already, counts as done. */
export async function dockerUnless(done: RegExp, ...args: readonly string[]): Promise<void> {
  try {
    await docker(...args);
  } catch (error) {
    if (!(error instanceof Error) || !done.test(error.message)) throw error;
  }
}

/** The lines that docker prints. */
export async function dockerLines(...args: readonly string[]): Promise<string[]> {
  return (await docker(...args)).split("\n").filter((line) => line !== "");
}
