/** `orion:index:ContainerLimits`: sets limits of a running container that Docker's provider has no input for. */
import { z } from "zod";
import type { Docker } from "./docker.ts";
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
export async function setContainerLimits(limits: ContainerLimitsInputs, docker: Docker): Promise<void> {
  const { container, processes } = limits;
  const args = ["container", "update", "--pids-limit", String(processes), container];
  const { code, output } = await docker({ engine: limits, args, timeoutSeconds: 60 });
  if (code !== 0) throw new Error(`the limits of ${container} could not be set: ${output.trim()}`);
}
