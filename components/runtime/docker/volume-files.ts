/** Files of a container, in a volume whose name contains their hash. */
import { createHash } from "node:crypto";
import type { ImageKey } from "../../../config/images.ts";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { VolumeFilesInputs } from "../../../plugin/volume-files.ts";
import { physicalName } from "../../../topology/naming.ts";
import type { InputsOf } from "../../inputs.ts";
import { dockerLabels, filesLabel } from "./labels.ts";
import type { DockerRuntime } from "./runtime.ts";

/** A file of a container, which is there when it starts. It belongs to root. */
export interface ContainerFile {
  /** Its path in the container; all files of a container are in one folder. */
  readonly file: string;
  readonly content: pulumi.Input<string>;
  readonly permissions: string;
}

interface VolumeFilesArgs extends Omit<InputsOf<VolumeFilesInputs>, "dockerHost" | "sshOptions"> {
  readonly runtime: DockerRuntime;
}

/** Files in a Docker volume (plugin/volume-files.ts). */
export class VolumeFiles extends pulumi.CustomResource {
  constructor(
    name: string,
    { runtime, ...args }: VolumeFilesArgs,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    const { deletedWith } = runtime.options(opts.parent);
    super(
      "orion:index:VolumeFiles",
      name,
      { ...runtime.engine, ...args },
      { ...(deletedWith && { deletedWith }), ...opts },
    );
  }
}

/**
 * Docker copies no files into a read-only file system, so they are mounted. Other files are another volume, and the container is
 * replaced, as with other inputs.
 *
 * @param name logical name of the container
 * @param service name of its service
 * @param image an image that the engine has
 * @returns the mount; none without files
 */
export function mountFiles(
  name: string,
  service: string,
  files: readonly ContainerFile[],
  image: ImageKey,
  runtime: DockerRuntime,
  parent: pulumi.Resource,
): docker.types.input.ContainerVolume[] {
  const [folder, ...others] = new Set(files.map(({ file }) => file.slice(0, file.lastIndexOf("/"))));
  if (folder === undefined) return [];
  if (others.length > 0)
    throw new Error(`the files of ${service} are in ${[folder, ...others].join(", ")}, not in one folder`);
  const contents = pulumi.output(files.map(({ content }) => content));
  // A short hash reveals nothing of the secrets in it.
  const hash = pulumi.unsecret(contents.apply((known) => digest([files.map(({ file }) => file), known])));
  const volume = new docker.Volume(
    `${name}-files`,
    {
      name: hash.apply((known) => physicalName(runtime.naming, `${service}-files-${known}`)),
      labels: dockerLabels(runtime.naming, filesLabel),
    },
    runtime.options(parent),
  );
  const texts = Object.fromEntries(
    files.map(({ file, content, permissions }) => [
      file.slice(folder.length + 1),
      { text: content, mode: permissions },
    ]),
  );
  const args = { runtime, image: runtime.image(image), volume: volume.name, files: texts };
  const { urn } = new VolumeFiles(`${name}-written`, args, { parent });
  // The URN: the container waits until the files are written, and its volume is known in a preview.
  const volumeName = pulumi.all([volume.name, urn]).apply(([known]) => known);
  return [{ volumeName, containerPath: folder, readOnly: true }];
}

const digest = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);
