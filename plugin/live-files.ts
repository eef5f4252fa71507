/** `orion:index:LiveFiles`: writes files in a Docker volume (configuration, certificates) and reloads the container. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { type Clock, systemClock } from "../common/clock.ts";
import { writeLine } from "../common/shell.ts";
import type { Docker, DockerCall, Engine } from "./docker.ts";
import { engineSchema } from "./engine.ts";
import { killedFirst } from "../common/confinement.ts";
import { redact } from "../common/secrets.ts";

export const liveFilesSchema = z.strictObject({
  ...engineSchema,
  volume: z.string().min(1),
  /** Mount point of the volume in the container; the files are in `current/` below it. */
  directory: z.string().startsWith("/"),
  /** An image with a shell, in which the files are written and checked. */
  image: z.string().min(1),
  /** Folders of the host that the files refer to, by their path in the container. @default - none */
  folders: z.record(z.string().startsWith("/"), z.string().startsWith("/")).optional(),
  /** A path in the image whose group may read the files: that of a process which gives up root. @default - root alone */
  readableByGroupOf: z.string().startsWith("/").optional(),
  /** Text by file name. */
  files: z.record(z.string().regex(/^[\w][\w.-]*$/, "a plain file name"), z.string()),
  /** A command that fails when the files are not valid; `{}` in it becomes their folder. */
  check: z.array(z.string()).min(1),
  /** Name of the container that reads the files; it need not exist yet. */
  container: z.string().min(1),
  /** A command in that container that makes it read the files again. Not a signal: Docker takes any signal for a stop. */
  reload: z.array(z.string()).min(1),
  /**
   * The title of the processes that a reload replaces, and the one that they have from then on, until they end.
   * @default - the reload is complete with its command
   */
  processes: z.strictObject({ serving: z.string().min(1), leaving: z.string().min(1) }).optional(),
  /** How long to wait for the end of those that leave. @default 0 */
  settleSeconds: z.int().min(0).optional(),
});
export type LiveFilesInputs = z.infer<typeof liveFilesSchema>;

const commandSeconds = 60;
const pollMilliseconds = 250;
/** By then a reload has replaced the processes, on a busy machine as well. */
const replacedSeconds = 60;
const reloadTries = 5;
const reloadPauseMilliseconds = 1000;

/**
 * Writes the files beside the ones in use, checks them, switches over in one step and reloads the container.
 *
 * @throws {Error} when they do not pass the check; the container keeps its files
 */
export async function writeLiveFiles(
  inputs: LiveFilesInputs,
  docker: Docker,
  clock: Clock = systemClock,
): Promise<void> {
  const call = (args: string[], more: Partial<DockerCall> = {}) =>
    docker({ engine: inputs, args, timeoutSeconds: commandSeconds, ...more });
  const version = versionOf(inputs.files);
  const helper = (shell: string[]) => [
    ...["container", "run", "--rm", "--interactive", "--network", "none", "--pull", "never", "--entrypoint", "sh"],
    // The volume belongs to root; some images have another user.
    ...["--user", "0:0"],
    // The check of nginx's files gives folders to its workers' user.
    ...["--cap-drop", "ALL", "--cap-add", "CHOWN", "--security-opt", "no-new-privileges", "--read-only"],
    ...["--volume", "/tmp", "--pids-limit", "128", "--memory", "256m", ...killedFirst],
    ...["--volume", `${inputs.volume}:${inputs.directory}`],
    ...Object.entries(inputs.folders ?? {}).flatMap(([inside, path]) => ["--volume", `${path}:${inside}:ro`]),
    ...[inputs.image, ...shell],
  ];
  // One container for all steps: to start one takes longer than its work.
  const { code = 1, output } = await call(helper(["-s"]), { input: stepsScript(inputs, version) });
  if (code !== 0) {
    const what = failures[code - firstFailure] ?? failures[0];
    throw new Error(`${inputs.container}: ${what}: ${redact(output.trim(), Object.values(inputs.files))}`);
  }
  if (await isRunning(inputs.container, call)) await reloadLiveFiles(inputs, docker, clock);
}

/**
 * Makes the container read its files again. Resolves when no process with the old ones takes a request any more.
 *
 * @throws {Error} when the old processes go on taking requests: what the update deletes next is what those are passed on to
 */
export async function reloadLiveFiles(
  inputs: Engine & Pick<LiveFilesInputs, "container" | "reload" | "processes" | "settleSeconds">,
  docker: Docker,
  clock: Clock = systemClock,
): Promise<void> {
  const call = (args: string[]) => docker({ engine: inputs, args, timeoutSeconds: commandSeconds });
  const { container, processes, settleSeconds = 0 } = inputs;
  const former = processes && (await processesOf(container, processes.serving, call));
  await reload(inputs, call, clock);
  if (!processes) return;
  // The Docker Engine's machine has no `ps`, with which it would list them.
  if (!former) {
    await clock.sleep(settleSeconds * 1000);
    return;
  }
  const areReplaced = async () => {
    const serving = await processesOf(container, processes.serving, call);
    // A busy Docker Engine may not answer once, which proves nothing.
    return serving !== undefined && !serving.some((pid) => former.includes(pid));
  };
  const haveEnded = async () => (await processesOf(container, processes.leaving, call))?.length === 0;
  if (!(await eventually(areReplaced, replacedSeconds, clock)))
    throw new Error(
      `${container}: it was told to read its files again, and ${replacedSeconds} s later still uses the old ones`,
    );
  // Requests that they have read and not passed on yet.
  await eventually(haveEnded, settleSeconds, clock);
}

type Call = (args: string[]) => ReturnType<Docker>;

const versionOf = (files: Readonly<Record<string, string>>): string =>
  createHash("sha256")
    .update(JSON.stringify(Object.entries(files).sort()))
    .digest("hex")
    .slice(0, 16);

/** The messages of failed steps, in the order of the steps. */
const failures = [
  "its files could not be written",
  "its files did not pass the check; it keeps the old ones",
  "its files could not be put in place",
] as const;
/** The exit code of the first step; no program of an image has it. */
const firstFailure = 91;

/** The steps, each with an exit code of its own. */
function stepsScript(inputs: LiveFilesInputs, version: string): string {
  const check = inputs.check.map((word) => word.replaceAll("{}", `${inputs.directory}/${version}`)).join(" ");
  const steps = [writeScript(inputs, version), `exec ${check} </dev/null`, switchScript(inputs.directory, version)];
  // A shell ignores `set -e` in a command whose failure it looks at.
  return steps
    .map((step, index) => `(\n${step}\n)\ncode=$?; [ $code -eq 0 ] || exit ${firstFailure + index}\n`)
    .join("");
}

function writeScript({ directory, files, readableByGroupOf: path }: LiveFilesInputs, version: string): string {
  const folder = `${directory}/${version}`;
  const writes = Object.entries(files).map(([name, text]) => writeLine(`${folder}/${name}`, text));
  const share = path === undefined ? [] : [`chgrp -R "$(stat -c %g ${path})" '${folder}'`, `chmod -R g+rX '${folder}'`];
  // Written through before they are used, as the switch is: the container survives a loss of power, and so must its files.
  const through = `sync '${folder}' '${folder}'/*`;
  return ["set -eu", "umask 077", `mkdir -p '${folder}'`, ...writes, ...share, through, ""].join("\n");
}

/** Deletes all versions but the new one and the one before, which is kept for comparison. */
const switchScript = (directory: string, version: string): string =>
  `set -eu; cd ${directory}; old=$(readlink current || true); ln -sfn ${version} .next; mv -Tf .next current; sync .; ` +
  `for each in */; do each=\${each%/}; case "$each" in current|${version}|"$old") ;; *) rm -rf "$each";; esac; done`;

async function isRunning(container: string, call: Call): Promise<boolean> {
  const { code, output } = await call(["container", "inspect", "--format", "{{.State.Running}}", container]);
  return code === 0 && output.trim() === "true";
}

/** A container that is just starting may have no process to reload yet, so the command is retried. */
async function reload(
  { container, reload: command }: Pick<LiveFilesInputs, "container" | "reload">,
  call: Call,
  clock: Clock,
): Promise<void> {
  for (let left = reloadTries - 1; ; left--) {
    const { code, output } = await call(["container", "exec", container, ...command]);
    if (code === 0 || !(await isRunning(container, call))) return;
    if (left === 0) throw new Error(`${container}: it did not reload its files: ${output.trim()}`);
    await clock.sleep(reloadPauseMilliseconds);
  }
}

/** The ids of a container's processes with a title; undefined when they cannot be listed. `docker top` fails without the column `pid`. */
async function processesOf(container: string, title: string, call: Call): Promise<string[] | undefined> {
  const { code, output } = await call(["container", "top", container, "-eo", "pid,args"]);
  if (code !== 0) return undefined;
  return output.split("\n").flatMap((line) => {
    const [, pid = "", args] = /^\s*(\d+)\s+(.*?)\s*$/.exec(line) ?? [];
    return args === title ? [pid] : [];
  });
}

/** Asks every {@link pollMilliseconds} until the condition holds, or the time is over. @returns whether it holds */
async function eventually(isSo: () => Promise<boolean>, seconds: number, clock: Clock): Promise<boolean> {
  for (let left = (seconds * 1000) / pollMilliseconds; ; left--) {
    if (await isSo()) return true;
    if (left <= 0) return false;
    await clock.sleep(pollMilliseconds);
  }
}
