/** Builds equivalents of the official images from Debian packages, for machines that reach no registry. */
import { join } from "node:path";
import { contextFiles, type ContextFile, hashOf } from "../common/images/context.ts";
import { DebianBase } from "../common/images/debian-base.ts";
import { buildImage, type BuildTools } from "../common/images/docker-build.ts";
import { inputsLabel } from "../common/images/engine.ts";
import type { OfficialImage } from "../config/images.ts";

/** Builds equivalents, and once their common Debian base. */
export class Equivalents {
  readonly #root: string;
  readonly #buildTools: BuildTools;
  readonly #base: DebianBase;

  /** @param root Folder of the project. */
  constructor(root: string, buildTools: BuildTools) {
    this.#root = root;
    this.#buildTools = buildTools;
    this.#base = new DebianBase(root, buildTools);
  }

  /** Hash of everything that determines an equivalent: its files, the Debian base, this machine's sources and authorities. */
  inputs(name: OfficialImage): string {
    return hashOf(this.#files(name), this.#base.inputs());
  }

  /**
   * Builds the equivalent of an official image under the given name.
   *
   * @throws Error when mmdebstrap is missing and cannot be installed, or with the end of the log when a build fails.
   */
  async build(name: OfficialImage, reference: string): Promise<void> {
    await buildImage(this.#buildTools, {
      title: name,
      reference,
      files: this.#files(name),
      args: { BASE: await this.#base.reference() },
      labels: { [inputsLabel]: this.inputs(name) },
    });
  }

  #files(name: OfficialImage): ContextFile[] {
    return contextFiles(join(this.#root, "images/equivalents", name));
  }
}
