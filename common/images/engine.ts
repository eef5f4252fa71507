/** Lists the images of the local Docker Engine, and selects a builder that can use them. */
import type { Run } from "../process.ts";

export interface LocalImage {
  readonly id: string;
  /** Value of the label of images built here; undefined for a pulled image. */
  readonly inputs: string | undefined;
}

export const inputsLabel = "org.orion.inputs";

/**
 * Returns the images that the local Docker Engine has for the given references, using one command.
 *
 * @throws Error when the Docker Engine is not reachable.
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

/** A reference as Docker lists it: without its default registry; with both tag and digest, the digest counts. */
function shortName(reference: string): string {
  const short = reference.replace(/^docker\.io\//, "").replace(/^library\//, "");
  if (short.includes("@")) return short.replace(/:[\w.-]+@/, "@");
  return /:[\w.-]+$/.test(short) ? short : `${short}:latest`;
}

function engineTrouble(output: string): string {
  const reason = output.trim().split("\n").at(-1) ?? "";
  return `the Docker Engine does not answer: ${reason}\nStart it (for example 'systemctl start docker'), or set DOCKER_HOST to a running one.`;
}

/** Selects a builder that can use local images: BuildKit inside the engine, else the classic builder. */
export async function builderEnvironment(runner: Run): Promise<Readonly<Record<string, string>>> {
  const { code, stdout } = await runner("docker", ["buildx", "inspect"]);
  // A builder that runs in its own container does not see the images of this engine.
  return { DOCKER_BUILDKIT: code === 0 && /^Driver:\s+docker$/m.test(stdout) ? "1" : "0" };
}
