/** Waits until a new container is healthy, or says why it does not start (plugin/container-ready.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { ContainerReadyInputs } from "../../../plugin/container-ready.ts";
import type { InputsOf } from "../../inputs.ts";
import type { DockerRuntime } from "./runtime.ts";

export interface ContainerReadyArgs extends Omit<InputsOf<ContainerReadyInputs>, "dockerHost" | "sshOptions"> {
  readonly runtime: DockerRuntime;
}

export class ContainerReady extends pulumi.CustomResource {
  constructor(
    name: string,
    { runtime, ...args }: ContainerReadyArgs,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    const { deletedWith } = runtime.options(opts.parent);
    super(
      "orion:index:ContainerReady",
      name,
      { ...runtime.engine, ...args },
      { ...(deletedWith && { deletedWith }), ...opts },
    );
  }
}
