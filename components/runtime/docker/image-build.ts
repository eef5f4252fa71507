/** Makes an image that no registry has on a Docker Engine, before containers there use it (plugin/image-build.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { ImageBuildInputs } from "../../../plugin/image-build.ts";
import type { InputsOf } from "../../inputs.ts";

export class ImageBuild extends pulumi.CustomResource {
  constructor(
    name: string,
    args: InputsOf<ImageBuildInputs>,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    super("orion:index:ImageBuild", name, { ...args }, opts);
  }
}
