/** Starting other programs: with their output kept, or with the user's terminal handed over. */
import { spawn, spawnSync } from "node:child_process";
import { UserError } from "../common/user-error.ts";

export interface Captured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and keeps what it prints. */
export function capture(program: string, args: readonly string[], input?: string): Captured {
  const result = spawnSync(program, [...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...(input !== undefined && { input }),
  });
  if (result.error) throw notFound(program, result.error);
  return { code: result.status ?? 1, stdout: result.stdout, stderr: result.stderr };
}

/**
 * Runs a program in the user's terminal; resolves with its exit code. Ctrl-C is the program's.
 *
 * @param environment variables beside those of this process
 */
export function runInteractive(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: "inherit", env: { ...process.env, ...environment } });
    child.on("error", (error) => {
      reject(notFound(program, error));
    });
    child.on("close", (code) => {
      process.off("SIGINT", ignore);
      resolve(code ?? 1);
    });
  });
}

function notFound(program: string, error: NodeJS.ErrnoException): Error {
  return error.code === "ENOENT"
    ? new UserError(`The program '${program}' was not found; install it, or run make up.`)
    : error;
}
