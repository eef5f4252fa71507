/** The labels of a stack's containers, volumes and networks in Docker. Pure. */
import type * as docker from "@pulumi/docker";
import { type Naming, lastingLabels } from "../../../topology/naming.ts";

/** The labels of a container, volume or network, in the form that the Docker provider takes. */
export const dockerLabels = (naming: Naming, role: string): docker.types.input.ContainerLabel[] =>
  Object.entries(lastingLabels(naming, role)).map(([label, value]) => ({ label, value }));

/** The role label of volumes with files that the program has written. */
export const filesLabel = "files";
