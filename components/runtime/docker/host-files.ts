/** Files written to a server over SSH, and a command that makes the server use them (plugin/host-files.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { HostFilesInputs } from "../../../plugin/host-files.ts";
import type { InputsOf } from "../../inputs.ts";
import type { DockerRuntime } from "./runtime.ts";

export interface HostFilesArgs extends Omit<InputsOf<HostFilesInputs>, "host" | "sshOptions"> {
  /** The Docker Engine of the server; it is reached over SSH. */
  readonly runtime: DockerRuntime;
}

export class HostFiles extends pulumi.CustomResource {
  constructor(
    name: string,
    { runtime, ...args }: HostFilesArgs,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    const { dockerHost, sshOptions = [] } = runtime.engine;
    const { deletedWith } = runtime.options(opts.parent);
    super(
      "orion:index:HostFiles",
      name,
      { host: dockerHost, sshOptions, ...args },
      pulumi.mergeOptions(
        // The old files are removed before the new ones are written, or the removal would take the new ones.
        { ...(deletedWith && { deletedWith }), deleteBeforeReplace: true, ...opts },
        // Files may hold secrets: they go to a server whose host key is known.
        { ...(runtime.ready && { dependsOn: runtime.ready }) },
      ),
    );
  }
}
