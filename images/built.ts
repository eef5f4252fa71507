/** Computes the references of the images that this repository builds, for the program and the tools. */
import { baseImage } from "../config/images.ts";
import type { Settings } from "../config/schema.ts";
import { type BuiltImages, databaseBase } from "../topology/images.ts";
import { ownImage } from "./own.ts";

/**
 * References for the current sources; reading and hashing them takes milliseconds.
 *
 * @param root folder of the project
 */
export function builtImages(root: string, { images }: Settings): BuiltImages {
  const python = baseImage({ registry: images.registry });
  const { reference, files } = ownImage(root, "database", databaseBase({ images }));
  const dockerfile = files.find(({ path }) => path === "Dockerfile")?.content.toString("utf8") ?? "";
  return {
    ...{ app: ownImage(root, "app", python).reference, docs: ownImage(root, "docs", python).reference },
    database: { reference, dockerfile },
  };
}
