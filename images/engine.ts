/** The docker command line and other programs, run with a log file and a time limit. */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface Call {
  readonly command: string;
  readonly args: readonly string[];
  /** Bytes for standard input, or the output of another program. @default nothing */
  readonly input?: Buffer | Readable;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** File that gets everything the program prints; it is emptied first. @default none */
  readonly log?: string;
  /** The program is ended when it has printed nothing for the first so many seconds. @default no limit */
  readonly silenceSeconds?: number;
}

export interface Outcome {
  /** Exit code, or undefined when the program was ended for its silence. */
  readonly code: number | undefined;
  readonly stdout: string;
  /** Standard error and output as they came, at most the last 16 KiB. */
  readonly tail: string;
}

export type Runner = (call: Call) => Promise<Outcome>;

const keptOutput = 1024 * 1024;
const keptTail = 16 * 1024;

/** Runs a program to its end. Rejects only when it cannot be started or its log cannot be written. */
export const run: Runner = async ({ command, args, input, environment = {}, log, silenceSeconds }) => {
  if (log) mkdirSync(dirname(log), { recursive: true });
  const file = log ? createWriteStream(log) : undefined;
  const child = spawn(command, [...args], { env: { ...process.env, ...environment }, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let tail = "";
  const collect = (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).slice(-keptTail);
    file?.write(chunk);
  };
  child.stdout.on("data", (chunk: Buffer) => {
    stdout = (stdout + chunk.toString("utf8")).slice(-keptOutput);
    collect(chunk);
  });
  child.stderr.on("data", collect);
  const silence = new AbortController();
  const timer = setTimeout(
    () => {
      if (silenceSeconds === undefined || tail !== "") return;
      silence.abort();
      child.kill("SIGTERM");
    },
    (silenceSeconds ?? 0) * 1000,
  );

  // A program that ends before it has read everything says why by its exit code, not by the broken pipe.
  const ignoreBrokenPipe = () => undefined;
  child.stdin.on("error", ignoreBrokenPipe);
  if (input === undefined) child.stdin.end();
  else if (Buffer.isBuffer(input)) child.stdin.end(input);
  else pipeline(input, child.stdin).catch(ignoreBrokenPipe);

  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", (error: NodeJS.ErrnoException) => {
        reject(error.code === "ENOENT" ? new Error(`the command '${command}' was not found`) : error);
      });
      child.on("close", (status) => {
        resolve(status ?? 1);
      });
    });
    return { code: silence.signal.aborted ? undefined : code, stdout, tail };
  } finally {
    clearTimeout(timer);
    file?.end();
  }
};

export interface LocalImage {
  readonly id: string;
  /** Value of the label that equivalents carry; undefined for an official image. */
  readonly inputs: string | undefined;
}

export const inputsLabel = "org.orion.inputs";

/**
 * What the local Docker Engine has under the given references, found by one command.
 *
 * @throws Error when no Docker Engine answers.
 */
export async function localImages(runner: Runner, references: readonly string[]): Promise<Map<string, LocalImage>> {
  const format = "[{{json .Id}},{{json .RepoTags}},{{json .RepoDigests}},{{json .Config}}]";
  const { code, stdout, tail } = await runner({
    command: "docker",
    args: ["image", "inspect", "--format", format, ...references],
  });
  if (code !== 0 && !/no such image/i.test(tail)) throw new Error(engineTrouble(tail));
  const found = new Map<string, LocalImage>();
  for (const line of stdout.split("\n").filter((text) => text.startsWith("["))) {
    const [id, tags, digests, config] = JSON.parse(line) as [
      string,
      string[] | null,
      string[] | null,
      ImageConfig | null,
    ];
    const names = new Set([...(tags ?? []), ...(digests ?? [])].map(shortName));
    const image = { id, inputs: config?.Labels?.[inputsLabel] };
    for (const reference of references) if (names.has(shortName(reference))) found.set(reference, image);
  }
  return found;
}

interface ImageConfig {
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** The name as Docker lists it: without its default registry; of a tag and a digest the digest counts. */
function shortName(reference: string): string {
  const short = reference.replace(/^docker\.io\//, "").replace(/^library\//, "");
  if (short.includes("@")) return short.replace(/:[\w.-]+@/, "@");
  return /:[\w.-]+$/.test(short) ? short : `${short}:latest`;
}

function engineTrouble(output: string): string {
  const reason = output.trim().split("\n").at(-1) ?? "";
  return `the Docker Engine does not answer: ${reason}\nStart it (for example 'systemctl start docker'), or set DOCKER_HOST to one that runs.`;
}

/** The builder that this machine's docker command can use on local images: BuildKit inside the engine, else the classic one. */
export async function builderEnvironment(runner: Runner): Promise<Readonly<Record<string, string>>> {
  const { code, stdout } = await runner({ command: "docker", args: ["buildx", "inspect"] });
  // A builder in a container of its own would not see the images of this engine.
  return { DOCKER_BUILDKIT: code === 0 && /^Driver:\s+docker$/m.test(stdout) ? "1" : "0" };
}
