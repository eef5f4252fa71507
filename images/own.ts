/** The platform's own images: what each is built from, and the name that follows from it. */
import { join } from "node:path";
import { type OwnImage, ownImageReference } from "../config/images.ts";
import { contextFiles, type ContextFile, hashOf } from "./context.ts";

export interface OwnImagePlan {
  readonly reference: string;
  /** The tag of the reference: what the app calls its version. */
  readonly version: string;
  /** Hash of everything that decides the contents, in hexadecimal. */
  readonly hash: string;
  readonly files: readonly ContextFile[];
}

const contexts: Readonly<Record<OwnImage, (root: string) => ContextFile[]>> = {
  app: (root) => contextFiles(join(root, "sample-app")),
  docs: (root) => [
    ...contextFiles(join(root, "images/docs")),
    ...contextFiles(root, "docs"),
    ...contextFiles(root, "mkdocs.yml"),
  ],
};

/**
 * Reads the sources of an own image, which takes milliseconds, and names the image that they make.
 *
 * @param root Folder of the project.
 * @param base Reference of the Python image that it stands on.
 */
export function ownImage(root: string, kind: OwnImage, base: string): OwnImagePlan {
  const files = contexts[kind](root);
  const hash = hashOf(files, base);
  const reference = ownImageReference(kind, hash);
  return { reference, version: reference.slice(reference.lastIndexOf(":") + 1), hash, files };
}
