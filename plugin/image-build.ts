/** `orion:index:ImageBuild`: makes an image that no registry has on a Docker Engine: copied from another one, or built. */
import { z } from "zod";
import { quotedWords } from "../common/shell.ts";
import { sshArguments } from "../common/ssh.ts";
import type { Run } from "../common/process.ts";
import { dockerBy, type Engine } from "./docker.ts";
import { engineSchema } from "./engine.ts";

export const imageBuildSchema = z.strictObject({
  ...engineSchema,
  reference: z.string().min(1),
  /** The image that it is built on; passed as the build argument `argument`. */
  base: z.string().min(1),
  argument: z.string().regex(/^[A-Z_]+$/),
  /** Text of a Dockerfile that needs no other file. */
  dockerfile: z.string().min(1),
  /** A Docker Engine that may have the image already, so that all of them run the same one. @default - it is built */
  from: z.strictObject(engineSchema).optional(),
});
export type ImageBuildInputs = z.infer<typeof imageBuildSchema>;

/** What else can be done, by the build argument. */
const insteads: Readonly<Record<string, string>> = {
  POSTGRES_IMAGE:
    "name an image that has pgBackRest (orion:images.database), or do without point-in-time recovery (orion:backups.pointInTime false)",
  HAPROXY_IMAGE:
    "name an image that has PgBouncer (orion:images.pooler), or do without it (orion:database.pooler false)",
};

/** Packages are fetched over the network. */
const buildSeconds = 1200;
const lookSeconds = 60;

/**
 * Makes the image available; one of that name that is there stays.
 *
 * Two builds on different days can differ in the packages that they got. So a Docker Engine that has it is asked first: a primary and
 * its replica then run the same files. A Docker Engine of another architecture has another image under the same name.
 *
 * @throws {Error} with the end of the build's output
 */
export async function buildImage(inputs: ImageBuildInputs, run: Run): Promise<void> {
  const { reference, base, argument, dockerfile, from } = inputs;
  const docker = dockerBy(run);
  const has = async (engine: Engine): Promise<boolean> =>
    (
      await docker({
        engine,
        args: ["image", "inspect", "--format", "{{.Id}}", reference],
        timeoutSeconds: lookSeconds,
      })
    ).code === 0;
  if (await has(inputs)) return;
  const architecture = async (engine: Engine): Promise<string> =>
    (
      await docker({ engine, args: ["version", "--format", "{{.Server.Arch}}"], timeoutSeconds: lookSeconds })
    ).output.trim();
  const runsSame = async (other: Engine): Promise<boolean> =>
    (await architecture(other)) === (await architecture(inputs));
  if (
    from &&
    (await has(from)) &&
    (await runsSame(from)) &&
    (await copyImage(from, inputs, reference, run)) &&
    (await has(inputs))
  )
    return;
  const args = ["build", "--quiet", "--force-rm", "--tag", reference, "--build-arg", `${argument}=${base}`, "-"];
  const { code, output } = await docker({ engine: inputs, args, input: dockerfile, timeoutSeconds: buildSeconds });
  if (code === 0) return;
  const why =
    code === undefined ? `it took longer than ${buildSeconds} s` : output.trim().split("\n").slice(-20).join("\n");
  throw new Error(
    `${reference} could not be built on ${base}. The containers that run keep running; the Docker Engine needs its registry and its ` +
      `packages' archive. Or ${insteads[argument] ?? "name an image of your own"}. The end of the build:\n${why}`,
  );
}

/** @returns whether it has arrived; the way between two servers may be closed for a moment, and it can be built instead */
async function copyImage(from: Engine, to: Engine, reference: string, run: Run): Promise<boolean> {
  const pipe = `${commandOn(from, ["docker", "save", reference])} | ${commandOn(to, ["docker", "load", "--quiet"])}`;
  const { code } = await run("bash", ["-o", "pipefail", "-c", pipe], { timeoutSeconds: buildSeconds });
  return code === 0;
}

const commandOn = ({ dockerHost, sshOptions = [] }: Engine, words: readonly string[]): string =>
  dockerHost.startsWith("ssh://")
    ? quotedWords(["ssh", ...sshArguments(dockerHost, sshOptions, words)])
    : quotedWords(["env", `DOCKER_HOST=${dockerHost}`, ...words]);
