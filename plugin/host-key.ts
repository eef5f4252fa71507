/**
 * How a server's SSH host key becomes known without trust at first sight.
 *
 * The program puts a one-time host key into the user data of a new server, and this machine accepts no other key at its first
 * connection. Over that connection the server generates a key that nobody else has ever had, the program stores its public
 * half, and from then on accepts nothing but this key. User data can be read on the server and with a token of
 * Hetzner's API; what they find there has opened one connection, and opens no other.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { readHostKeys, writeHostKeys } from "../common/known-hosts.ts";
import type { Outcome, Run } from "../common/process.ts";
import { quotedWords } from "../common/shell.ts";
import { onServer } from "../common/on-server.ts";

interface HostKeyInputs {
  /** `ssh://user@host[:port]` */
  readonly host: string;
  readonly sshOptions: readonly string[];
  /** Public half of the one-time key, as `algorithm key`. @default - the server has none in its user data */
  readonly firstKey?: string | undefined;
}

const seconds = 30;
/** sshd loads another key a moment after it was told to. */
const reloadTries = 20;

/**
 * Makes sure that this machine has a key to compare with before it connects.
 *
 * @param stored the server's own key, from an earlier update
 * @param isNew whether the server was never connected to
 * @returns further options for the first connection: to a server of a stack that was made before host keys were stored, and
 *   that this machine has never met, ssh accepts the key that it sees, once
 */
export function expectHostKey(inputs: HostKeyInputs, stored: string | undefined, isNew: boolean): string[] {
  const { host, sshOptions, firstKey } = inputs;
  if (readHostKeys(sshOptions).length > 0) return [];
  const key = stored ?? (isNew ? firstKey : undefined);
  if (key === undefined) return ["-o", "StrictHostKeyChecking=accept-new"];
  writeHostKeys(host, sshOptions, [key]);
  return [];
}

/**
 * Gives the server its own key in place of the one-time key, and makes it the only one that this machine accepts. Idempotent,
 * also after an interruption: as long as it is not certain which key the server shows, this machine accepts both.
 *
 * @returns the server's public key, as `algorithm key`
 * @throws {Error} when the server cannot be reached with its own key; it then has both keys among the known ones
 */
export async function settleHostKey(
  inputs: HostKeyInputs,
  run: Run,
  pause: () => Promise<void> = () => sleep(500),
): Promise<string> {
  const { host, sshOptions, firstKey } = inputs;
  const on = (script: string, options: readonly string[] = []): Promise<Outcome> =>
    onServer(run, inputs, script, { first: options, timeoutSeconds: seconds });
  const { code, stdout, output } = await on(keyScript(firstKey));
  const own = keyOf(stdout);
  if (code !== 0 || own === undefined) throw new Error(`${host}: its SSH host key could not be read: ${output.trim()}`);
  const known = readHostKeys(sshOptions);
  if (known.length === 1 && known[0] === own) return own;
  writeHostKeys(host, sshOptions, [...new Set([...known, own])]);
  const switched = await on(switchScript);
  if (switched.code !== 0) throw new Error(`${host}: it keeps its one-time host key: ${switched.output.trim()}`);
  await proveKey(inputs, own, known, on, pause);
  return own;
}

/** Opens a new connection that accepts only the server's own key. */
async function proveKey(
  { host, sshOptions }: HostKeyInputs,
  own: string,
  known: readonly string[],
  on: (script: string, options: readonly string[]) => Promise<Outcome>,
  pause: () => Promise<void>,
): Promise<void> {
  writeHostKeys(host, sshOptions, [own]);
  let seen = "";
  for (let tries = 0; tries < reloadTries; tries++) {
    const { code, output } = await on("true", ["-o", "ControlMaster=no", "-o", "ControlPath=none"]);
    if (code === 0) return;
    seen = output.trim();
    await pause();
  }
  writeHostKeys(host, sshOptions, [...new Set([...known, own])]);
  throw new Error(`${host}: a connection with its own SSH host key failed: ${seen}\nRun up again.`);
}

/** The public key in a line of a `.pub` file, without the comment. */
function keyOf(line: string): string | undefined {
  const [, key] = /^((?:ssh|ecdsa)-\S+ [A-Za-z0-9+/=]+)/m.exec(line) ?? [];
  return key;
}

const folder = "/etc/ssh";
const current = `${folder}/ssh_host_ed25519_key`;
const next = `${folder}/orion_next_host_key`;

/** Prints the server's own public key; a server that shows the one-time key generates its own first. */
const keyScript = (firstKey: string | undefined): string => `set -eu
if ${firstKey === undefined ? "false" : `grep -qF ${quotedWords([firstKey])} ${current}.pub`}; then
  [ -s ${next} ] && [ -s ${next}.pub ] || {
    rm -f ${next} ${next}.pub
    ssh-keygen -q -t ed25519 -N "" -C "root@$(hostname)" -f ${next}
  }
  cat ${next}.pub
else
  cat ${current}.pub
fi
`;

/** Puts the new key in place of the one-time key. */
const switchScript = `set -eu
[ -s ${next} ] || exit 0
mv -f ${next} ${current}
mv -f ${next}.pub ${current}.pub
sshd -t
systemctl reload ssh.service
`;
