import type { ImageKey } from "../../../config/images.ts";
import * as pulumi from "@pulumi/pulumi";
import type { LiveFilesInputs } from "../../../plugin/live-files.ts";
import type { InputsOf } from "../../inputs.ts";
import type { DockerRuntime } from "./runtime.ts";

export interface LiveFilesArgs extends Omit<InputsOf<LiveFilesInputs>, "dockerHost" | "sshOptions" | "image"> {
  readonly place: DockerRuntime;
  /** Key of an image at the place, for writing the files and checking them. */
  readonly image: ImageKey;
}

/** Files that a running container reads again when they change, checked before and switched in one step (plugin/live-files.ts). */
export class LiveFiles extends pulumi.CustomResource {
  constructor(
    name: string,
    { place, image, ...args }: LiveFilesArgs,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    const { deletedWith } = place.options(opts.parent);
    super(
      "orion:index:LiveFiles",
      name,
      { ...place.engine, image: place.image(image), ...args },
      { ...(deletedWith && { deletedWith }), ...opts },
    );
  }
}
