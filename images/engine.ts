/** What the local Docker Engine has, and how it builds. */
import type { Run } from "../common/process.ts";

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
export async function localImages(runner: Run, references: readonly string[]): Promise<Map<string, LocalImage>> {
  const format = "[{{json .Id}},{{json .RepoTags}},{{json .RepoDigests}},{{json .Config}}]";
  const { code, stdout, output } = await runner("docker", ["image", "inspect", "--format", format, ...references]);
  if (code !== 0 && !/no such image/i.test(output)) throw new Error(engineTrouble(output));
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
export async function builderEnvironment(runner: Run): Promise<Readonly<Record<string, string>>> {
  const { code, stdout } = await runner("docker", ["buildx", "inspect"]);
  // A builder in a container of its own would not see the images of this engine.
  return { DOCKER_BUILDKIT: code === 0 && /^Driver:\s+docker$/m.test(stdout) ? "1" : "0" };
}
