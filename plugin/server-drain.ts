/** `orion:index:ServerDrain`: ends the work of a server before the server is deleted. */
import { z } from "zod";
import type { Run } from "../common/process.ts";
import { sshArguments } from "../common/ssh.ts";
import { serverSchema } from "./engine.ts";
import { drainScript, stopSeconds } from "./power-off-script.ts";

export const serverDrainSchema = z.strictObject({
  ...serverSchema,
  /** The stack that its containers are labelled with. */
  stack: z.string().min(1),
});
export type ServerDrainInputs = z.infer<typeof serverDrainSchema>;

/**
 * Stops every container of the stack on the server, each with its own time to end. Visitors have to be gone by then; tasks
 * that run are completed. A failure is no error: a server that does not answer has nothing left to stop, and a container
 * that does not end in its time ends with the server.
 */
export async function drainServer({ host, sshOptions, stack }: ServerDrainInputs, run: Run): Promise<void> {
  const args = sshArguments(host, sshOptions, ["sh", "-s"]);
  await run("ssh", args, { input: drainScript(stack), timeoutSeconds: stopSeconds });
}
