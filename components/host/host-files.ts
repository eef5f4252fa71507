import * as pulumi from "@pulumi/pulumi";
import { type DockerPlace } from "./docker-place.ts";

/** A file of a server. */
export interface HostFile {
  readonly text: pulumi.Input<string>;
  /** What only its owner may read is taken for a secret in messages. */
  readonly mode: "0600" | "0644" | "0755";
}

export interface HostFilesArgs {
  /** The Docker Engine of the server; it is reached over SSH. */
  readonly place: DockerPlace;
  /** By absolute path. */
  readonly files: Readonly<Record<string, HostFile>>;
  /** What has to be done whenever they are written; it may be done again at any time. */
  readonly command: readonly string[];
  /** What has to be done before they are removed. */
  readonly removal: readonly string[];
}

/** Files that are written to a server over SSH, and a command that has it take notice (plugin/host-files.ts). */
export class HostFiles extends pulumi.CustomResource {
  constructor(
    name: string,
    { place, ...args }: HostFilesArgs,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    const { dockerHost, sshOptions = [] } = place.engine;
    const { deletedWith } = place.options(opts.parent);
    super(
      "orion:index:HostFiles",
      name,
      { host: dockerHost, sshOptions, ...args },
      // What is removed last must not be what has just been written.
      { ...(deletedWith && { deletedWith }), deleteBeforeReplace: true, ...opts },
    );
  }
}
