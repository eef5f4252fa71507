/** A Docker volume named after its service. */
import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { physicalName } from "../../../topology/naming.ts";
import type { Service } from "../../../topology/service.ts";
import { dockerLabels } from "./labels.ts";
import type { DockerRuntime } from "./runtime.ts";

/** What a volume is for. */
export interface ServiceVolume {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** The end of the volume's name, after that of the service: `data`, `files`. */
  readonly part: string;
  /** Its role label: the service's kind, or `filesLabel`. */
  readonly role: string;
}

export const serviceVolume = (
  logicalName: string,
  { runtime, service, part, role }: ServiceVolume,
  { parent, ...opts }: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
): docker.Volume =>
  new docker.Volume(
    logicalName,
    { name: physicalName(runtime.naming, `${service.name}-${part}`), labels: dockerLabels(runtime.naming, role) },
    { ...runtime.options(parent), ...opts },
  );
