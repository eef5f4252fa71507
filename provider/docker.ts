/** The docker command line: it speaks to a local engine, over TCP and over SSH alike. */
import { spawn } from "node:child_process";

export interface DockerCall {
  readonly host: string;
  readonly args: readonly string[];
  /** Variables that `--env NAME` passes on, so that no secret stands in a process list. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

export interface DockerResult {
  /** Exit code, or undefined when the time was over. */
  readonly code: number | undefined;
  /** Standard output and standard error as they came, at most the last 64 KiB. */
  readonly output: string;
}

export type Docker = (call: DockerCall) => Promise<DockerResult>;

const keptOutput = 64 * 1024;

/** Runs one docker command to its end, or ends it when its time is over. */
export const spawnDocker: Docker = ({ host, args, environment = {}, timeoutSeconds }) =>
  new Promise((resolve, reject) => {
    const child = spawn("docker", [...args], {
      env: { ...process.env, ...environment, DOCKER_HOST: host },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let expired = false;
    const collect = (chunk: Buffer) => (output = (output + chunk.toString("utf8")).slice(-keptOutput));
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const timer = setTimeout(() => {
      expired = true;
      child.kill("SIGTERM");
    }, timeoutSeconds * 1000);
    child.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(
        error.code === "ENOENT"
          ? new Error("the docker command was not found; install the Docker client and run again")
          : error,
      );
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: expired ? undefined : (code ?? 1), output });
    });
  });
