/** `orion:index:ServerDrain`: stops a server's containers, each with its timeout, before the server is deleted. */
import { z } from "zod";
import type { Run } from "../common/process.ts";
import { onServer } from "../common/on-server.ts";
import { serverSchema } from "./engine.ts";
import { drainScript, stopSeconds } from "../common/power-off-script.ts";

export const serverDrainSchema = z.strictObject({
  ...serverSchema,
  /** The stack that its containers are labelled with. */
  stack: z.string().min(1),
});
export type ServerDrainInputs = z.infer<typeof serverDrainSchema>;

/**
 * Stops every container of the stack on the server. Visitors must be routed elsewhere before; running tasks are completed. A
 * failure is not an error: a server that does not answer has nothing left to stop, and a container that exceeds its timeout
 * ends with the server.
 */
export async function drainServer({ stack, ...server }: ServerDrainInputs, run: Run): Promise<void> {
  await onServer(run, server, drainScript(stack), { timeoutSeconds: stopSeconds });
}
