/**
 * `orion:index:SshAccess`: who may log in at a server, and the settings of its sshd. A change is tried by a new login before it
 * stays; without one the server goes back to what it had, by itself if need be.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Outcome, Run } from "../common/process.ts";
import { quotedWords, writeLine } from "../common/shell.ts";
import { onServer } from "../common/on-server.ts";
import { serverSchema } from "./engine.ts";

export const sshAccessSchema = z.strictObject({
  ...serverSchema,
  /** OpenSSH public keys that may log in as root; no other key may. */
  authorizedKeys: z.array(z.string().regex(/^[^\r\n]+$/, "a key of one line")).min(1),
  /** Path of the file with sshd's settings. */
  configFile: z.string().startsWith("/"),
  /** Its text. */
  config: z.string(),
});
export type SshAccessInputs = z.infer<typeof sshAccessSchema>;

const seconds = 60;
/** The server undoes a change by itself after this time, unless a new login confirms it. */
const undoSeconds = 180;
const reloadTries = 20;

/**
 * Writes authorized keys and sshd's settings, logs in by a new connection, and only then leaves them in place. Idempotent.
 *
 * @throws {Error} when sshd refuses the settings or the new login fails; the server then has what it had before
 */
export async function giveAccess(
  inputs: SshAccessInputs,
  run: Run,
  pause: () => Promise<void> = () => sleep(500),
): Promise<void> {
  const { host } = inputs;
  const on = (script: string, options: readonly string[] = []): Promise<Outcome> =>
    onServer(run, inputs, script, { first: options, timeoutSeconds: seconds });
  const changed = await on(changeScript(inputs));
  if (changed.code !== 0) {
    throw new Error(
      `${host}: it keeps the SSH keys and settings that it had: ${whyOf(changed)}\nCorrect the cause and run up again.`,
    );
  }
  // A connection of its own: the shared one was admitted by the old keys.
  const login = () => on(confirmScript, ["-o", "ControlMaster=no", "-o", "ControlPath=none"]);
  let tried = await login();
  for (let tries = 0; isReloading(tried) && tries < reloadTries; tries++) {
    await pause();
    tried = await login();
  }
  if (tried.code === 0) return;
  const undone = await on(undoCommand);
  const when = undone.code === 0 ? "has" : `gets within ${undoSeconds / 60} minutes`;
  throw new Error(
    `${host}: with the new SSH keys and settings this machine could not log in, so the server ${when} the old ones again: ` +
      `${whyOf(tried)}\nOne of orion:admin.sshPublicKeys must belong to a private key that ssh finds here ` +
      "(orion:admin.identityFile names one). To change the key that this machine uses: first add the new key, then use it, then " +
      "remove the old one (docs/ssh.md).",
  );
}

/** Whether sshd took no connection: it does not for a moment while it starts with its settings. */
const isReloading = ({ code, output }: Outcome): boolean =>
  code !== 0 && /Connection (refused|reset|closed)|kex_exchange_identification/.test(output);

const whyOf = ({ code, output }: Outcome): string =>
  code === undefined ? `it took longer than ${seconds} s` : output.trim();

const folder = "/var/lib/orion/ssh-access";
const keysFile = "/root/.ssh/authorized_keys";
const undoUnit = "orion-ssh-access-undo";
/**
 * Returns when sshd listens with its new settings; connections go on. A reload returns at once: a login in the next moment may meet the
 * former settings, and would confirm new ones that admit nobody. Several changes in ten seconds are no failure to start.
 */
const applySettings = "systemctl reset-failed ssh.service && systemctl restart ssh.service";
const undoCommand = `sh ${folder}/undo\n`;

/** Restores both files, where a change was not confirmed. */
const undoScript = (configFile: string): string => `#!/bin/sh
[ -e ${folder}/pending ] || exit 0
for pair in keys:${keysFile} config:${configFile}; do
  saved=${folder}/before/\${pair%%:*} path=\${pair#*:}
  if [ -e "$saved" ]; then cp -p "$saved" "$path.old" && mv -f "$path.old" "$path"; else rm -f "$path"; fi
done
rm -f ${folder}/pending
sshd -t && ${applySettings}
`;

const header =
  "# Written by the Orion program from orion:admin.sshPublicKeys: a key that is added here by hand is removed.";

/** Undoes a change that was never confirmed, saves the present files, starts the timer that restores them, and makes the change. */
function changeScript({ authorizedKeys, configFile, config }: SshAccessInputs): string {
  const file = quotedWords([configFile]);
  return `set -eu
umask 077
mkdir -p ${folder} /root/.ssh
systemctl stop ${undoUnit}.timer 2>/dev/null || true
[ ! -e ${folder}/undo ] || sh ${folder}/undo
rm -rf ${folder}/before
mkdir ${folder}/before
[ ! -e ${keysFile} ] || cp -p ${keysFile} ${folder}/before/keys
[ ! -e ${file} ] || cp -p ${file} ${folder}/before/config
${writeLine(`${folder}/undo`, undoScript(configFile))}
touch ${folder}/pending
systemd-run --quiet --collect --unit=${undoUnit} --on-active=${undoSeconds} /bin/sh ${folder}/undo
${writeLine(`${keysFile}.new`, [header, ...authorizedKeys, ""].join("\n"))}
mv -f ${keysFile}.new ${keysFile}
${writeLine(`${configFile}.new`, config)}
chmod 0644 ${file}.new
mv -f ${file}.new ${file}
if ! sshd -t; then
  sh ${folder}/undo
  exit 1
fi
${applySettings}
`;
}

/** Runs over a new connection, which thereby has shown that the change locks nobody out. */
const confirmScript = `set -eu
rm -f ${folder}/pending
systemctl stop ${undoUnit}.timer 2>/dev/null || true
rm -rf ${folder}/before
`;
