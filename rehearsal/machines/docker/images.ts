/** Builds the container images of servers and load balancers, once per version of their sources. */
import { join } from "node:path";
import { tryRun } from "../../../common/process.ts";
import { contextFiles, hashOf } from "../../../common/images/context.ts";
import { buildImage, type BuildTools } from "../../../common/images/docker-build.ts";
import { builderEnvironment, localImages } from "../../../common/images/engine.ts";
import { DebianBase } from "../../../common/images/debian-base.ts";
import type { Progress } from "../../../toolchain/src/progress.ts";

export type MachineImage = "server" | "balancer";

export interface MachineImagesOptions {
  /** Folder of the project. */
  readonly root: string;
  /** Folder of log files. */
  readonly logs: string;
  readonly progress: Progress;
}

export class MachineImages {
  readonly #options: MachineImagesOptions;
  readonly #made = new Map<MachineImage, Promise<string>>();

  constructor(options: MachineImagesOptions) {
    this.#options = options;
  }

  /** Reference of an image; built when it is missing. */
  name(image: MachineImage): Promise<string> {
    const made = this.#made.get(image) ?? this.#make(image);
    this.#made.set(image, made);
    // After a failure the next call tries again.
    made.catch(() => this.#made.delete(image));
    return made;
  }

  async #make(image: MachineImage): Promise<string> {
    const { root, logs, progress } = this.#options;
    const buildTools: BuildTools = { runner: tryRun, logs, environment: await builderEnvironment(tryRun) };
    const debian = new DebianBase(root, buildTools);
    const files = contextFiles(join(root, "rehearsal/machines/docker/images", image));
    const reference = `orion/cloud-${image}:${hashOf(files, debian.inputs()).slice(0, 12)}`;
    if ((await localImages(tryRun, [reference])).has(reference)) return reference;
    await progress.during(`image of the cloud's ${image}s`, "built", async () => {
      const base = await debian.reference();
      await buildImage(buildTools, { title: `cloud-${image}`, reference, files, args: { BASE: base }, labels: {} });
    });
    return reference;
  }
}
