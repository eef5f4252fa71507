/** `orion:index:HostFiles`: writes files of a server over SSH (scripts, units, credentials) and runs a command. */
import { z } from "zod";
import type { Run } from "../common/process.ts";
import { writeLine, quotedWords } from "../common/shell.ts";
import { sshArguments } from "../common/ssh.ts";
import { serverSchema } from "./engine.ts";
import { redact } from "../common/secrets.ts";

export const hostFilesSchema = z.strictObject({
  ...serverSchema,
  /** By absolute path. */
  files: z.record(
    z.string().regex(/^(\/[\w@][\w.@-]*)+$/, "an absolute path of plain names"),
    z.strictObject({
      text: z.string(),
      /** A file that only its owner may read is a secret: messages do not show its text. */
      mode: z.enum(["0600", "0644", "0755"]),
    }),
  ),
  /** Runs on the server whenever the files are written. It may run again at any time. */
  command: z.array(z.string()).min(1),
  /** Runs on the server before the files are removed. */
  removal: z.array(z.string()).min(1),
});
export type HostFilesInputs = z.infer<typeof hostFilesSchema>;
type Files = HostFilesInputs["files"];

const commandSeconds = 120;

/**
 * Writes the files, each in one step, removes files of the last time that are not listed any more, and runs the command.
 * Always all of it, because it is not known how far a failed run got.
 *
 * @param before inputs of the last time
 * @throws {Error} when it cannot be done, without a secret in the message
 */
export async function writeHostFiles(inputs: HostFilesInputs, run: Run, before?: HostFilesInputs): Promise<void> {
  const gone = Object.keys(before?.files ?? {}).filter((path) => !(path in inputs.files));
  await must(inputs, run, "its files could not be written", ["sh", "-s"], writeScript(inputs.files, gone));
  await must(inputs, run, `its files were written, but '${inputs.command.join(" ")}' failed`, inputs.command);
}

/** Runs the removal's command, then removes the files. */
export async function removeHostFiles(inputs: HostFilesInputs, run: Run): Promise<void> {
  await must(inputs, run, `'${inputs.removal.join(" ")}' failed, and its files stay`, inputs.removal);
  await must(inputs, run, "its files could not be removed", ["rm", "-f", ...Object.keys(inputs.files)]);
}

async function must(
  { host, sshOptions, files }: HostFilesInputs,
  run: Run,
  what: string,
  words: readonly string[],
  input?: string,
): Promise<void> {
  const args = sshArguments(host, sshOptions, words);
  const options = { timeoutSeconds: commandSeconds, ...(input !== undefined && { input }) };
  const { code, output } = await run("ssh", args, options);
  if (code === 0) return;
  const why = code === undefined ? `it took longer than ${commandSeconds} s` : output.trim();
  throw new Error(`${host}: ${what}: ${redact(why, secretsOf(files))}\nCorrect the cause and run up again.`);
}

/** Each file appears complete and with its final mode. */
function writeScript(files: Files, gone: readonly string[]): string {
  const writes = Object.entries(files).flatMap(([path, { text, mode }]) => [
    `mkdir -p ${quotedWords([path.slice(0, path.lastIndexOf("/")) || "/"])}`,
    writeLine(`${path}.new`, text),
    `chmod ${mode} ${quotedWords([`${path}.new`])}`,
    // Written through first: after a loss of power it would be there, and empty.
    `sync ${quotedWords([`${path}.new`])}`,
    `mv -f ${quotedWords([`${path}.new`, path])}`,
  ]);
  const removals = gone.length > 0 ? [`rm -f ${quotedWords(gone)}`] : [];
  return ["set -eu", "umask 077", ...writes, ...removals, ""].join("\n");
}

/** The text of files that only the owner may read, each of their lines, and the value after `=`. */
const secretsOf = (files: Files): string[] =>
  Object.values(files)
    .filter(({ mode }) => mode.endsWith("00"))
    .flatMap(({ text }) => [text, ...text.split("\n").flatMap((line) => [line, line.slice(line.indexOf("=") + 1)])]);
