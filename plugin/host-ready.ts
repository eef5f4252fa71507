/** `orion:index:HostReady`: waits until a server's first boot is complete, its Docker Engine answers and its Volume is mounted. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Outcome, Run } from "../common/process.ts";
import { sshArguments } from "../common/ssh.ts";
import { mountCommand, readyFile } from "../common/server-contract.ts";
import { serverSchema } from "./engine.ts";

export const hostReadySchema = z.strictObject({
  ...serverSchema,
  /** The server's id at Hetzner; when it changes, the resource waits again. */
  serverId: z.string().min(1),
  /** The device of the Volume that holds the server's data. @default - the server has none */
  volumeDevice: z.string().startsWith("/dev/").optional(),
  /** After this time the update fails. */
  timeoutSeconds: z.int().min(1),
});
export type HostReadyInputs = z.infer<typeof hostReadySchema>;

const readyTest = `test -e ${readyFile} && docker version --format '{{.Server.Version}}'`;
const secondsBetween = 1;
/** ssh's own failures, as opposed to those of the command that it ran. */
const sshFailed = 255;

/**
 * Resolves when the server is ready.
 *
 * @throws {Error} when it is late, or its host key has changed, with the last result and what to do
 */
export async function waitForHost(inputs: HostReadyInputs, run: Run, pause: () => Promise<void> = rest): Promise<void> {
  const { host, sshOptions, volumeDevice, timeoutSeconds } = inputs;
  const on = (script: string, seconds = 20): Promise<Outcome> =>
    run("ssh", sshArguments(host, sshOptions, ["sh", "-c", script]), { timeoutSeconds: seconds });
  const end = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const seen = await on(readyTest);
    if (seen.code === 0) break;
    refuseChangedKey(host, seen);
    if (Date.now() > end) throw new Error(await explain(inputs, seen, on));
    await pause();
  }
  if (volumeDevice === undefined) return;
  const mounted = await on(`${mountCommand} ${volumeDevice}`, 120);
  if (mounted.code !== 0) {
    throw new Error(
      `the Volume ${volumeDevice} of ${host} could not be mounted; nothing was written to it: ${mounted.output.trim()}`,
    );
  }
}

const rest = (): Promise<void> => sleep(secondsBetween * 1000);

function refuseChangedKey(host: string, { output }: Outcome): void {
  if (!output.includes("IDENTIFICATION HAS CHANGED")) return;
  throw new Error(
    `${host} has another SSH host key than before, although it is the same server: the connection may be intercepted. ` +
      `Nothing was sent to it. If the key was changed on purpose, delete the file of known hosts that ssh names:\n${output.trim()}`,
  );
}

async function explain(
  { host, timeoutSeconds }: HostReadyInputs,
  last: Outcome,
  on: (script: string) => Promise<Outcome>,
): Promise<string> {
  const late = `${host} was not ready within ${timeoutSeconds} s`;
  if (last.code === sshFailed || last.code === undefined) {
    const reason = last.output.trim().split("\n").at(-1) ?? "";
    const remedy = /permission denied/i.test(reason)
      ? "it accepts no key of this machine: one of orion:admin.sshPublicKeys must belong to a private key that ssh finds (orion:admin.identityFile names one)"
      : "look at the server's console at Hetzner; orion:admin.cidrs must contain the address of this machine";
    return `${late}: SSH could not connect (${reason || "no answer"}); ${remedy}. Then run up again.`;
  }
  const log = await on("cloud-init status --long; tail -n 20 /var/log/cloud-init-output.log");
  return `${late}: its first boot has not ended. Output of cloud-init:\n${log.output.trim()}\nThen run up again.`;
}
