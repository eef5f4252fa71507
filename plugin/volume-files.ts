/** `orion:index:VolumeFiles`: writes files into a Docker volume that a container will mount. */
import { z } from "zod";
import { killedFirst } from "../common/confinement.ts";
import { redact } from "../common/secrets.ts";
import { quotedWords, writeLine } from "../common/shell.ts";
import type { Docker } from "./docker.ts";
import { engineSchema } from "./engine.ts";

export const volumeFilesSchema = z.strictObject({
  ...engineSchema,
  volume: z.string().min(1),
  /** An image with a shell, in which the files are written. */
  image: z.string().min(1),
  /** By name. They belong to root. */
  files: z.record(
    z.string().regex(/^[\w][\w.-]*$/, "a plain file name"),
    z.strictObject({ text: z.string(), mode: z.string().regex(/^0[0-7]{3}$/, "a mode such as 0444") }),
  ),
});
export type VolumeFilesInputs = z.infer<typeof volumeFilesSchema>;

const folder = "/files";

/** Writes the files. @throws {Error} when that fails, without the files' contents */
export async function writeVolumeFiles(inputs: VolumeFilesInputs, docker: Docker): Promise<void> {
  const { volume, image, files } = inputs;
  const args = [
    ...["container", "run", "--rm", "--interactive", "--network", "none", "--pull", "never", "--user", "0"],
    ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--log-driver", "none"],
    ...killedFirst,
    ...["--entrypoint", "sh", "--volume", `${volume}:${folder}`, image, "-s"],
  ];
  const lines = Object.entries(files).flatMap(([name, { text, mode }]) => {
    const path = `${folder}/${name}`;
    return [
      writeLine(`${path}.new`, text),
      `chmod ${mode} ${quotedWords([`${path}.new`])}`,
      `mv -f ${quotedWords([`${path}.new`, path])}`,
    ];
  });
  // Written through: Docker keeps the container over a loss of power, and would start it with empty files.
  const paths = [folder, ...Object.keys(files).map((name) => `${folder}/${name}`)];
  const script = ["set -eu", "umask 077", `chmod 0755 ${folder}`, ...lines, `sync ${quotedWords(paths)}`, ""].join(
    "\n",
  );
  const { code, output } = await docker({ engine: inputs, args, input: script, timeoutSeconds: 60 });
  if (code === 0) return;
  const texts = Object.values(files).map(({ text }) => text);
  throw new Error(`files could not be written into the volume ${volume}: ${redact(output.trim(), texts)}`);
}
