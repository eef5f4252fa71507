/** The docker command line of the host. */
import { must } from "../../../common/process.ts";

/** Runs a docker command. @returns what it printed. @throws {Error} when it fails */
export const docker = (...args: readonly string[]): Promise<string> => must("docker", args);

/** Like `docker`, but a failure whose message matches is no failure: the object is missing, or is already as wanted. */
export async function dockerUnless(done: RegExp, ...args: readonly string[]): Promise<void> {
  try {
    await docker(...args);
  } catch (error) {
    if (!(error instanceof Error) || !done.test(error.message)) throw error;
  }
}

/** The lines that a docker command prints. */
export async function dockerLines(...args: readonly string[]): Promise<string[]> {
  return (await docker(...args)).split("\n").filter((line) => line !== "");
}
