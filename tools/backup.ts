/** `make backup`, `make backup-key`, `make restore-drill`, and doctor's check of backups: run the server's scripts over SSH. */
import {
  backupCommand,
  backupKeyVariable,
  backupUnit,
  drillCommand,
  backupFilesVariable,
  backupFiles,
} from "../common/server-contract.ts";
import type { Outcome } from "../common/process.ts";
import { writeLine } from "../common/shell.ts";
import { UserError } from "../common/user-error.ts";
import type { Service } from "../topology/service.ts";
import { hasServers, servicesOf } from "../topology/topology.ts";
import type { Finding } from "./doctor/advice.ts";
import { checkTimed } from "./doctor/checks/timed.ts";
import { type Engine, type Engines, stackOutput } from "./engines.ts";
import type { StackFile } from "./stack-file.ts";
import { isTerminal, say } from "./terminal.ts";

/**
 * Starts the service as the timer does, and shows its log. It waits for a run that is under way. A failed run that waits for
 * its retry is stopped first, or `systemctl start` would wait for that, too.
 */
export const backupNow = [
  `unit=${backupUnit}.service`,
  `[ "$(systemctl show --property SubState --value $unit)" != auto-restart ] || systemctl stop $unit`,
  // Everything from now on, also what journald on a busy machine stores late.
  'journalctl --unit $unit --since "@$(date +%s)" --no-tail --follow --output cat & log=$!',
  "code=0; systemctl start $unit || code=$?",
  // A suspect backup is no failure of the service.
  '[ "$code" -ne 0 ] || code=$(systemctl show --property ExecMainStatus --value $unit)',
  "sleep 1; kill $log; exit $code",
].join("\n");

/**
 * Takes a backup, or makes a suspect one a good one.
 *
 * @param accept time of the suspect backup. @default a new backup is taken
 * @returns 0 when it is complete, 3 when it is suspect
 */
export function backup(file: StackFile, engines: Engines, accept?: string): Promise<number> {
  const words = accept === undefined ? ["sh", "-c", backupNow] : [backupCommand, "accept", accept];
  return engines.of(backupOf(file)).interactiveOnHost(words, isTerminal);
}

/** Takes a backup as the timer does. @returns what it printed */
export const backupOutput = (file: StackFile, engines: Engines): Outcome =>
  engines.of(backupOf(file)).captureOnHost("sh", "-c", backupNow);

/**
 * Prints the private key that backups are encrypted for, for a safe: without the stack's state, nothing else reads them.
 *
 * @throws {UserError} when the stack has none
 */
export function showBackupKey(root: string, file: StackFile): number {
  backupOf(file);
  const key = keyOf(root, file);
  if (key === undefined) throw new UserError(`Stack '${file.stack}' has no key yet; make up creates it.`);
  say(key);
  // A comment for age, which reads the line above.
  const archiveKey = stackOutput(root, file.stack, "archiveKey", "--show-secrets");
  if (archiveKey !== undefined) say(`# of the archive (pgBackRest's repo1-cipher-pass): ${archiveKey}`);
  return 0;
}

const keyOf = (root: string, { stack }: StackFile): string | undefined =>
  stackOutput(root, stack, "backupKey", "--show-secrets");

/**
 * Restores the newest backup into a scratch server and compares. The private key is on the server for as long as it takes.
 *
 * @param server where it runs. @default the server that takes the backups
 * @returns 0 when nothing is missing
 */
export const restoreDrill = (root: string, file: StackFile, engines: Engines, server?: string): Promise<number> =>
  drillOn(root, file, engines, server, (guest, words) => guest.interactiveOnHost(words, isTerminal));

/** The same, with what it printed. */
export const restoreDrillOutput = (root: string, file: StackFile, engines: Engines): Promise<Outcome> =>
  drillOn(root, file, engines, undefined, (guest, words) => guest.captureOnHost(...words));

async function drillOn<Result>(
  root: string,
  file: StackFile,
  engines: Engines,
  server: string | undefined,
  runs: (guest: Engine, words: readonly string[]) => Result | Promise<Result>,
): Promise<Result> {
  const service = backupOf(file);
  const home = engines.of(service);
  const guest = server === undefined ? home : engines.of({ server });
  const folder = lend(home, guest, keyOf(root, file));
  try {
    return await runs(guest, borrowedDrill(folder));
  } finally {
    guest.captureOnHost("rm", "-rf", folder);
  }
}

/**
 * Copies the files of a drill to a server, into a folder in memory, until the drill has ended.
 *
 * @param key the private key. @default - none: only backups of the version before can be read
 * @returns that folder
 */
export function lend(home: Engine, guest: Engine, key?: string): string {
  const texts = { settings: backupFiles.settings, "store.env": backupFiles.store, drill: drillCommand };
  const folder = printed(guest, ["mktemp", "-d", "/run/orion-drill.XXXXXX"]).trim();
  const lines = Object.entries(texts).map(([name, path]) =>
    writeLine(`${folder}/${name}`, printed(home, ["cat", path])),
  );
  if (key !== undefined) lines.push(writeLine(`${folder}/key`, `${key}\n`));
  printed(guest, ["sh", "-s"], ["set -eu", "umask 077", ...lines, ""].join("\n"));
  return folder;
}

/** The command that runs the drill from such a folder. */
export const borrowedDrill = (folder: string): string[] => [
  ...["env", `${backupFilesVariable}=${folder}`, `${backupKeyVariable}=${folder}/key`],
  ...["sh", `${folder}/drill`],
];

function printed(engine: Engine, words: readonly string[], input?: string): string {
  const { code, stdout, stderr } = engine.feedOnHost(input ?? "", ...words);
  if (code === 0) return stdout;
  throw new UserError(`The drill could not be prepared: ${stderr.trim()}`);
}

/** @throws {UserError} when the stack has none */
function backupOf({ stack, settings, topology }: StackFile): Service {
  const [service] = servicesOf(topology, "backup");
  if (service) return service;
  throw new UserError(
    !hasServers(topology)
      ? `Stack '${stack}' runs on this machine and takes no backups; phases with servers do.`
      : `Stack '${stack}' takes no backups, because orion:storage.backend is ${settings.storage.backend}: they would be ` +
          "lost together with the data. With r2 they go into a separate bucket.",
  );
}

/** A day, the timer's random delay, and the time that a backup takes. */
const mostHours = 26;

/** Checks that the timer runs and that the newest complete backup, or the installation of the timer, is not too old. */
export function checkBackup(service: Service, engines: Engines, now: Date): Promise<Finding> {
  return checkTimed(service, engines, {
    ...{ unit: backupUnit, command: [backupCommand, "list"], settings: backupFiles.settings },
    ...{ off: "backups-off", unknown: "backups-unknown" },
    judge: (list, since) => judge(list, since, now),
  });
}

/**
 * @param list times of complete backups, the newest first; behind a time `suspect` or `accepted`
 * @param since when backups were installed on the server
 */
export function judge(list: string, since: Date, now: Date): Omit<Finding, "service"> {
  const backups = list.split("\n").flatMap((line) => {
    const [time = "", mark] = line.split(" ");
    return time === "" ? [] : [{ time, isSuspect: mark === "suspect" }];
  });
  const good = backups.filter(({ isSuspect }) => !isSuspect);
  const [newest] = good;
  const hours = (now.getTime() - (newest === undefined ? since : timeOf(newest.time)).getTime()) / 3_600_000;
  const [last] = backups;
  if (last?.isSuspect === true) {
    const age = newest === undefined ? "there is no good one" : `the last good one is ${Math.floor(hours)} h old`;
    return { problem: "backup-suspect", detail: `${last.time} is suspect; ${age}` };
  }
  const isLate = hours > mostHours && { problem: "backup-late" as const };
  if (newest === undefined)
    return { ...isLate, detail: hours > mostHours ? "none" : "none yet; the first comes at night" };
  return { ...isLate, detail: `${backups.length} complete, the newest ${Math.floor(hours)} h old` };
}

/** The time in a backup's name: 20261125T023000Z. */
const timeOf = (name: string): Date =>
  new Date(name.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
