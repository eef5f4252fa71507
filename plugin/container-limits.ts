/** `orion:index:ContainerLimits`: sets limits of a running container that Docker's provider has no input for. */
import { z } from "zod";
import { connectDocker } from "./docker-api.ts";
import { engineSchema } from "./engine.ts";

export const containerLimitsSchema = z.strictObject({
  ...engineSchema,
  /** The container's id; with another id the limits are set again. */
  container: z.string().min(1),
  /** How many processes and threads it may have. */
  processes: z.int().min(1),
});
export type ContainerLimitsInputs = z.infer<typeof containerLimitsSchema>;

/** Sets the limits; Docker keeps them for the container's later starts. @throws {Error} when Docker refuses */
export async function setContainerLimits(
  limits: ContainerLimitsInputs,
  connect: typeof connectDocker = connectDocker,
): Promise<void> {
  const { container, processes } = limits;
  const api = connect(limits);
  try {
    const path = `/containers/${encodeURIComponent(container)}/update`;
    const { status, body } = await api.ask("POST", path, { PidsLimit: processes });
    if (status >= 300) throw new Error(`the limits of ${container} could not be set: ${body.toString().trim()}`);
  } finally {
    api.close();
  }
}
