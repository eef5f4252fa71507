/** Files that a running container reloads (plugin/live-files.ts). */
import type { ImageKey } from "../../../config/images.ts";
import * as pulumi from "@pulumi/pulumi";
import type { LiveFilesInputs } from "../../../plugin/live-files.ts";
import type { InputsOf } from "../../inputs.ts";
import type { DockerRuntime } from "./runtime.ts";

export interface LiveFilesArgs extends Omit<InputsOf<LiveFilesInputs>, "dockerHost" | "sshOptions" | "image"> {
  readonly runtime: DockerRuntime;
  /** Key of the image in which the files are written and checked. */
  readonly image: ImageKey;
}

/** New files are checked first, and replace the old ones in one step. */
export class LiveFiles extends pulumi.CustomResource {
  constructor(
    name: string,
    { runtime, image, ...args }: LiveFilesArgs,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    const { deletedWith } = runtime.options(opts.parent);
    super(
      "orion:index:LiveFiles",
      name,
      { ...runtime.engine, image: runtime.image(image), ...args },
      { ...(deletedWith && { deletedWith }), ...opts },
    );
  }
}
