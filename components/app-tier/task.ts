import type { ImageKey } from "../../config/images.ts";
import * as pulumi from "@pulumi/pulumi";
import { lastingLabels } from "../../topology/naming.ts";
import { type DockerPlace } from "../host/docker-place.ts";

export interface TaskArgs {
  readonly place: DockerPlace;
  /** Key of the image at the place. */
  readonly image: ImageKey;
  /** Name of the container while it runs. */
  readonly container: string;
  readonly command: readonly string[];
  /** What undoes it, run in the same way when it is taken out of the program. @default - what was done stays done */
  readonly removal?: readonly string[];
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** Volumes as `name:/path`. @default - none */
  readonly volumes?: readonly pulumi.Input<string>[];
  /** After this time the task is stopped and counts as failed. */
  readonly timeoutSeconds: number;
}

/**
 * A container that runs once, to its end, when it is made and whenever an argument changes.
 * When it fails the update fails with the end of its log, and the next update runs it again.
 */
export class Task extends pulumi.CustomResource {
  constructor(name: string, args: TaskArgs, opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource }) {
    const { place } = args;
    // The plugin is part of this repository, not of the Docker place: it takes no provider of its.
    const { deletedWith } = place.options(opts.parent);
    super(
      "orion:index:Task",
      name,
      {
        ...place.engine,
        container: args.container,
        image: place.image(args.image),
        command: [...args.command],
        ...(args.removal && { removal: [...args.removal] }),
        environment: { ...args.environment },
        network: place.network,
        labels: lastingLabels(place.naming, "release"),
        volumes: [...(args.volumes ?? [])],
        timeoutSeconds: args.timeoutSeconds,
      },
      { ...(deletedWith && { deletedWith }), ...opts },
    );
  }
}
