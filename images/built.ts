/** Computes the references of the images that this repository builds, for the program and the tools. */
import { baseImage } from "../config/images.ts";
import type { Settings } from "../config/schema.ts";
import type { BuiltImages } from "../topology/images.ts";
import { ownImage } from "./own.ts";

/**
 * References for the current sources; reading and hashing them takes milliseconds.
 *
 * @param root folder of the project
 */
export function builtImages(root: string, { images }: Settings): BuiltImages {
  const base = baseImage({ registry: images.registry });
  return { app: ownImage(root, "app", base).reference, docs: ownImage(root, "docs", base).reference };
}
