/** The images that this repository builds: the sources of each, and the reference computed from them. */
import { join } from "node:path";
import { type OwnImage, ownImageReference } from "../config/images.ts";
import { contextFiles, type ContextFile, hashOf } from "../common/images/context.ts";

export interface OwnImagePlan {
  readonly reference: string;
  /** Tag of the reference; the app reports it as its version. */
  readonly version: string;
  /** Hash of everything that determines the contents, in hexadecimal. */
  readonly hash: string;
  readonly files: readonly ContextFile[];
}

const contexts: Readonly<Record<OwnImage, (root: string) => ContextFile[]>> = {
  app: (root) => contextFiles(join(root, "sample-app")),
  database: (root) => contextFiles(join(root, "images/database")),
  pooler: (root) => contextFiles(join(root, "images/pooler")),
  docs: (root) => [
    ...contextFiles(join(root, "images/docs")),
    ...contextFiles(root, "docs"),
    ...contextFiles(root, "mkdocs.yml"),
  ],
};

/**
 * Reads the sources of an image (in milliseconds) and computes the reference of the image that they build.
 *
 * @param root Folder of the project.
 * @param base Reference of its base image.
 */
export function ownImage(root: string, kind: OwnImage, base: string): OwnImagePlan {
  const files = contexts[kind](root);
  const hash = hashOf(files, base);
  const reference = ownImageReference(kind, hash);
  return { reference, version: reference.slice(reference.lastIndexOf(":") + 1), hash, files };
}
