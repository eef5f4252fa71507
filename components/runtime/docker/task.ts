/** A one-shot container (plugin/task.ts). */
import type { ImageKey } from "../../../config/images.ts";
import * as pulumi from "@pulumi/pulumi";
import type { TaskInputs } from "../../../plugin/task.ts";
import { lastingLabels } from "../../../topology/naming.ts";
import type { InputsOf } from "../../inputs.ts";
import type { DockerRuntime } from "./runtime.ts";

type Own = "dockerHost" | "sshOptions" | "image" | "network" | "labels" | "volumes" | "memoryMb" | "writable";

export interface TaskArgs extends Omit<InputsOf<TaskInputs>, Own> {
  readonly runtime: DockerRuntime;
  /** Key of the image. */
  readonly image: ImageKey;
  /** Volumes as `name:/path`. @default - none */
  readonly volumes?: readonly pulumi.Input<string>[];
  /** Memory limit, in MiB. @default 256 */
  readonly memoryMb?: number;
  /** Folders that it writes to, beside its volumes; their contents are the image's, and go with the container. @default - /tmp */
  readonly writable?: readonly string[];
}

/**
 * It runs when the resource is created and whenever an argument changes.
 * When it fails, the update fails with the end of its log, and the next update runs it again.
 */
export class Task extends pulumi.CustomResource {
  constructor(
    name: string,
    { runtime, image, volumes = [], memoryMb = 256, writable = ["/tmp"], ...args }: TaskArgs,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    // The `orion` plugin serves this resource, so it must not inherit the runtime's Docker provider.
    const { deletedWith } = runtime.options(opts.parent);
    super(
      "orion:index:Task",
      name,
      {
        ...runtime.engine,
        ...args,
        image: runtime.image(image),
        network: runtime.networks.data,
        labels: lastingLabels(runtime.naming, "release"),
        volumes,
        memoryMb,
        writable,
      },
      { ...(deletedWith && { deletedWith }), ...opts },
    );
  }
}
