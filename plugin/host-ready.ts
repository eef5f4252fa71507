/**
 * `orion:index:HostReady`: the first connection to a server. Waits until its first boot is complete, its Docker Engine answers
 * and its Volume is mounted, and settles its SSH host key (plugin/host-key.ts).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Outcome, Run } from "../common/process.ts";
import { onServer } from "../common/on-server.ts";
import { mountCommand, readyFile } from "../common/server-contract.ts";
import { serverSchema } from "./engine.ts";
import { expectHostKey, settleHostKey } from "./host-key.ts";

export const hostReadySchema = z.strictObject({
  ...serverSchema,
  /** The server's id at Hetzner; when it changes, the resource waits again. */
  serverId: z.string().min(1),
  /** Public half of the one-time host key in the server's user data, as `algorithm key`. @default - none */
  firstKey: z.string().optional(),
  /** The server's own host key; an output. */
  hostKey: z.string().optional(),
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
 * How often a new server may show another key than its one-time key, or refuse this machine's keys: until cloud-init has run,
 * its sshd may have a host key of the image and no key of an operator.
 */
const toleratedSights = 60;

/**
 * Resolves when the server is ready.
 *
 * @param before the inputs and outputs of the last time
 * @returns the server's own host key, as `algorithm key`
 * @throws {Error} when it is late, or its host key has changed, with the last result and what to do
 */
export async function waitForHost(
  inputs: HostReadyInputs,
  run: Run,
  before?: HostReadyInputs,
  pause: () => Promise<void> = rest,
): Promise<string> {
  const { host, volumeDevice, timeoutSeconds } = inputs;
  const isSame = before?.serverId === inputs.serverId;
  const first = expectHostKey(inputs, isSame ? before.hostKey : undefined, !isSame);
  const on = (script: string, seconds = 20): Promise<Outcome> =>
    onServer(run, inputs, script, { first, timeoutSeconds: seconds, by: "argument" });
  const end = Date.now() + timeoutSeconds * 1000;
  for (let foreign = 0, refused = 0; ;) {
    const seen = await on(readyTest);
    if (seen.code === 0) break;
    if (isForeign(seen) && (isSame || foreign++ >= toleratedSights)) throw new Error(foreignKey(host, seen));
    if (isRefused(seen) && (isSame || refused++ >= toleratedSights)) throw new Error(refusedKeys(host, seen));
    if (Date.now() > end) throw new Error(await explain(inputs, seen, on));
    await pause();
  }
  const hostKey = await settleHostKey(inputs, run, pause);
  if (volumeDevice === undefined) return hostKey;
  const mounted = await on(`${mountCommand} ${volumeDevice}`, 120);
  if (mounted.code !== 0) {
    throw new Error(
      `the Volume ${volumeDevice} of ${host} could not be mounted; nothing was written to it: ${mounted.output.trim()}`,
    );
  }
  return hostKey;
}

const rest = (): Promise<void> => sleep(secondsBetween * 1000);

/** Whether ssh has refused the server's key. */
const isForeign = ({ output }: Outcome): boolean =>
  /IDENTIFICATION HAS CHANGED|Host key verification failed/.test(output);

const foreignKey = (host: string, { output }: Outcome): string =>
  `${host} has another SSH host key than the one that is known of it: the connection may be intercepted. Nothing was sent to ` +
  "it. If the server was rebuilt, or its key was changed on purpose, delete the file of known hosts that ssh names and run: " +
  `npx pulumi up --replace '**::*-ready' (docs/ssh.md)\n${output.trim()}`;

/** Whether the server lets none of this machine's keys in; to try again would not help. */
const isRefused = ({ code, output }: Outcome): boolean =>
  code === sshFailed && /permission denied|too many authentication failures/i.test(output);

function refusedKeys(host: string, { output }: Outcome): string {
  const lines = output.trim().split("\n");
  const reason = lines.find((line) => /too many authentication failures/i.test(line)) ?? lines.at(-1) ?? "";
  const remedy = /too many/i.test(reason)
    ? "ssh offers every key of its agent, and the server hangs up after a few: name the right one with npx pulumi config set --path admin.identityFile FILE"
    : "one of orion:admin.sshPublicKeys must belong to a private key that ssh finds; npx pulumi config set --path admin.identityFile FILE names one";
  return `${host} accepts no key of this machine: ${reason.trim()}; ${remedy}. Then run up again.`;
}

async function explain(
  { host, timeoutSeconds }: HostReadyInputs,
  last: Outcome,
  on: (script: string) => Promise<Outcome>,
): Promise<string> {
  const late = `${host} was not ready within ${timeoutSeconds} s`;
  if (last.code === sshFailed || last.code === undefined) {
    if (isRefused(last)) return refusedKeys(host, last);
    const reason = last.output.trim().split("\n").at(-1) ?? "";
    return `${late}: SSH could not connect (${reason || "no answer"}); look at the server's console at Hetzner; orion:admin.cidrs must contain the address of this machine. Then run up again.`;
  }
  const log = await on("cloud-init status --long; tail -n 20 /var/log/cloud-init-output.log");
  return `${late}: its first boot has not ended. Output of cloud-init:\n${log.output.trim()}\nThen run up again.`;
}
