/** A server that goes away: what runs on it ends in its own time before. */
import { z } from "zod";
import { type Run } from "../common/process.ts";
import { sshArguments } from "../common/ssh.ts";
import { serverSchema } from "./engine.ts";
import { endScript, stopSeconds } from "./leave-script.ts";

export const farewellSchema = z.strictObject({
  ...serverSchema,
  /** The stack that its containers are labelled with. */
  stack: z.string().min(1),
});
export type FarewellInputs = z.infer<typeof farewellSchema>;

/**
 * Ends every container of the stack on the server. Visitors have to stay away by then; tasks that run are ended well.
 * A server that does not answer has nothing left to end, and what does not end in its time is ended with it.
 */
export async function bidFarewell({ host, sshOptions, stack }: FarewellInputs, run: Run): Promise<void> {
  const args = sshArguments(host, sshOptions, ["sh", "-s"]);
  await run("ssh", args, { input: endScript(stack), timeoutSeconds: stopSeconds });
}
