/** Computes the references of the images that this repository builds, for the program and the tools. */
import { runSync, StartError } from "../common/process.ts";
import { baseImage, type MadeOnServers } from "../config/images.ts";
import type { Settings } from "../config/schema.ts";
import { type BuiltImages, baseOnServers } from "../topology/images.ts";
import { ownImage } from "./own.ts";

/**
 * References for the current sources; reading and hashing them takes milliseconds.
 *
 * @param root folder of the project
 */
export function builtImages(root: string, settings: Settings): BuiltImages {
  const { images } = settings;
  const python = baseImage({ registry: images.registry });
  const made = (kind: MadeOnServers) => {
    const { reference, files } = ownImage(root, kind, baseOnServers({ images }, kind));
    const dockerfile = files.find(({ path }) => path === "Dockerfile")?.content.toString("utf8") ?? "";
    return { reference, dockerfile };
  };
  const appId = localAppId(settings);
  return {
    ...{ app: ownImage(root, "app", python).reference, docs: ownImage(root, "docs", python).reference },
    ...{ database: made("database"), pooler: made("pooler") },
    ...(appId !== undefined && { appId }),
  };
}

/** The provider of the Docker Engine does not notice another image under the same tag, which a local build makes every time. */
function localAppId({ hosting, app: { image }, dockerHost }: Settings): string | undefined {
  if (hosting !== "local" || image === undefined) return undefined;
  const words = ["--host", dockerHost, "image", "inspect", "--format", "{{.Id}}", image];
  try {
    const { code, stdout } = runSync("docker", words, { timeoutSeconds: 10 });
    return code === 0 ? stdout.trim() : undefined;
  } catch (error) {
    // A plan needs no Docker on this machine.
    if (error instanceof StartError) return undefined;
    throw error;
  }
}
