/** Limits of a running container that Docker's provider has no input for (plugin/container-limits.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { ContainerLimitsInputs } from "../../../plugin/container-limits.ts";
import type { InputsOf } from "../../inputs.ts";
import type { DockerRuntime } from "./runtime.ts";

export interface ContainerLimitsArgs extends Omit<InputsOf<ContainerLimitsInputs>, "dockerHost" | "sshOptions"> {
  readonly runtime: DockerRuntime;
}

export class ContainerLimits extends pulumi.CustomResource {
  constructor(
    name: string,
    { runtime, ...args }: ContainerLimitsArgs,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    const { deletedWith } = runtime.options(opts.parent);
    super(
      "orion:index:ContainerLimits",
      name,
      { ...runtime.engine, ...args },
      { ...(deletedWith && { deletedWith }), ...opts },
    );
  }
}
