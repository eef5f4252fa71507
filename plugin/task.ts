/** `orion:index:Task`: runs a container once, such as a migration, before the resources that depend on it. */
import { z } from "zod";
import type { Docker, DockerCall } from "./docker.ts";
import { engineSchema } from "./engine.ts";
import { killedFirst } from "../common/confinement.ts";
import { redact } from "../common/secrets.ts";
import { assignments } from "../common/shell.ts";

export const taskSchema = z.strictObject({
  ...engineSchema,
  /** Name of the container while it runs. */
  container: z.string().min(1),
  image: z.string().min(1),
  command: z.array(z.string()).min(1),
  /** The command that undoes the task, run in the same way when the resource is deleted. @default - none */
  removal: z.array(z.string()).min(1).optional(),
  environment: z.record(z.string(), z.string()),
  /** User, or user and group. @default - the image's own */
  user: z.string().min(1).optional(),
  network: z.string().min(1),
  labels: z.record(z.string(), z.string()),
  /** Volumes as `name:/path`. */
  volumes: z.array(z.string()),
  /** Memory limit, in MiB; there is no swap beside it. */
  memoryMb: z.int().min(6),
  /** Folders that it writes to, beside its volumes. */
  writable: z.array(z.string().startsWith("/")),
  /** After this time the task is stopped and counts as failed. */
  timeoutSeconds: z.int().min(1),
});
export type TaskInputs = z.infer<typeof taskSchema>;

const shownLines = 40;

/** Adds the limits to a task that a version without them stored. */
export const withLimits = (stored: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  ...{ memoryMb: 256, writable: ["/tmp"] },
  ...stored,
});

/** The exit code of a container that the kernel has killed. */
const killed = 137;

/** What docker itself ends with when it could not start a container. */
const notStarted = 125;

/** Far more than migrations need. */
const processes = 512;

/**
 * Runs the task and resolves when it has succeeded.
 * Waits for a run that a killed update left behind, so that two migrations never run at once: the name can be used once.
 *
 * @throws {Error} with the end of its log, free of secrets, when it fails or takes too long
 */
export async function runTask(task: TaskInputs, docker: Docker): Promise<void> {
  const { timeoutSeconds } = task;
  const call = (args: string[], more: Partial<DockerCall> = {}) =>
    docker({ engine: task, args, timeoutSeconds, ...more });

  const { short, long } = bySize(task.environment);
  const runOnce = () => call(runArguments(task, Object.keys(long)), { input: assignments(short), variables: long });
  let { code, output } = await runOnce();
  if (code === notStarted && output.includes("is already in use by container")) {
    await call(["container", "wait", task.container]);
    await call(["container", "rm", "--force", task.container]);
    ({ code, output } = await runOnce());
  }
  if (code === 0) return;
  if (code === undefined) await call(["container", "rm", "--force", task.container]);
  throw new Error(explainFailure(task, code, redact(output, secretsOf(task))));
}

/** Undoes the task, if it has a command for that. @throws {Error} as {@link runTask} does */
export async function removeTask({ removal, ...task }: TaskInputs, docker: Docker): Promise<void> {
  if (removal) await runTask({ ...task, command: removal }, docker);
}

/** Docker's file of variables has a line for each; a value of several lines, such as a key in PEM, is given in another way. */
function bySize(environment: TaskInputs["environment"]): Record<"short" | "long", Readonly<Record<string, string>>> {
  const isLong = ([, value]: readonly [string, string]) => /[\r\n]/.test(value);
  const all = Object.entries(environment);
  return {
    short: Object.fromEntries(all.filter((one) => !isLong(one))),
    long: Object.fromEntries(all.filter(isLong)),
  };
}

/** Also each line of a value, as a program prints it that writes `\n` between them. */
const secretsOf = ({ environment }: TaskInputs): string[] =>
  Object.values(environment).flatMap((value) => [value, ...value.split(/\r?\n/)]);

/** @param long names of variables that docker takes from its own environment */
function runArguments(task: TaskInputs, long: readonly string[]): string[] {
  return [
    ...["container", "run", "--rm", "--init", "--pull", "never"],
    ...["--name", task.container, "--network", task.network, "--log-driver", "json-file"],
    ...Object.entries(task.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...(task.user === undefined ? [] : ["--user", task.user]),
    ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--pids-limit", String(processes)],
    ...killedFirst,
    ...["--memory", `${task.memoryMb}m`, "--memory-swap", `${task.memoryMb}m`],
    ...[...task.volumes, ...task.writable].flatMap((volume) => ["--volume", volume]),
    ...long.flatMap((name) => ["--env", name]),
    ...["--env-file", "/dev/stdin", task.image],
    ...task.command,
  ];
}

function explainFailure(task: TaskInputs, code: number | undefined, log: string): string {
  const what = `${task.container} (${task.command.join(" ")})`;
  const why =
    code === undefined
      ? `did not end within ${task.timeoutSeconds} s and was stopped`
      : `failed with exit code ${code}${code === killed ? `, killed: its memory limit is ${task.memoryMb} MiB, or the memory of the server ran out` : ""}`;
  const lines = log.trimEnd().split("\n");
  const tail = lines.slice(-shownLines).map((line) => `    ${line}`);
  return [
    `${what} ${why}. The version before keeps running; correct the cause and run up again. The end of its log:`,
    ...(lines.length > shownLines ? [`    ... ${lines.length - shownLines} lines before`] : []),
    ...tail,
  ].join("\n");
}
