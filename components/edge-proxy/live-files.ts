import type { ImageKey } from "../../config/images.ts";
import * as pulumi from "@pulumi/pulumi";
import { type DockerPlace } from "../host/docker-place.ts";

export interface LiveFilesArgs {
  readonly place: DockerPlace;
  /** Key of an image at the place, for writing the files and checking them. */
  readonly image: ImageKey;
  readonly volume: pulumi.Input<string>;
  /** Where the container has the volume; the files are in `current/` below it. */
  readonly directory: string;
  /** Folders of the host that the files speak of, by where the container has them. @default - none */
  readonly folders?: Readonly<Record<string, string>>;
  /** Text by file name. */
  readonly files: Readonly<Record<string, pulumi.Input<string>>>;
  /** A command that fails when the files are not good; `{}` in it becomes their folder. */
  readonly check: readonly string[];
  /** Name of the container that reads them; it need not exist yet. */
  readonly container: string;
  /** A command in that container that makes it read them anew. */
  readonly reload: readonly string[];
  /** Part of the title of processes that go away once a reload is through. */
  readonly leaving: string;
  /** How long to wait for those. */
  readonly settleSeconds: number;
}

/** Files that a running container reads anew when they change, checked before and switched in one step (plugin/live-files.ts). */
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
