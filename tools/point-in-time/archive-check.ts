/** Doctor's check of the archive of the database's changes: how old the newest archived one is, and what waits. Pure but for the call. */
import { archiveCheckUnit, archiveCommand, archiveSettingsFile } from "../../common/server-contract.ts";
import type { Service } from "../../topology/service.ts";
import type { Finding } from "../doctor/advice.ts";
import { checkTimed } from "../doctor/checks/timed.ts";
import type { Engines } from "../engines.ts";

/** Asks the server's command about the archive. */
export function checkArchive(service: Service, engines: Engines, now: Date): Promise<Finding> {
  return checkTimed(service, engines, {
    ...{ unit: archiveCheckUnit, command: [archiveCommand, "facts"], settings: archiveSettingsFile },
    ...{ off: "archive-off", unknown: "archive-unknown" },
    judge: (facts, since) => judgeArchive(facts, since, now),
  });
}

/** A segment is finished every minute in which something changes, and sent at once. */
const lateSeconds = 300;
/** A base backup begins every night; twice the interval and the time that it takes. */
const mostBackupHours = 50;

/** The first base backup begins within minutes after the installation. */
const firstBackupSeconds = 1800;

/**
 * @param facts lines of `name values`, as the server's command prints them
 * @param since when the archive was installed on the server
 */
export function judgeArchive(facts: string, since: Date, now: Date): Omit<Finding, "service"> {
  const lines = facts.split("\n").map((line) => line.trim().split(" "));
  const wordsOf = (name: string): string[] => (lines.find(([key]) => key === name) ?? []).slice(1);
  const valuesOf = (name: string): number[] => wordsOf(name).map(Number);
  const secondsSince = (time: number): number => Math.max(0, Math.floor(now.getTime() / 1000 - time));
  const [waiting = 0, age = 0] = valuesOf("waiting");
  const [gap] = valuesOf("gap");
  const [archived = 0] = valuesOf("archived");
  const [newest] = valuesOf("newest");
  const [first = 0] = valuesOf("first");
  if (gap !== undefined) {
    return {
      problem: "archive-gap",
      detail: `changes were given up ${secondsSince(gap)} s ago; ${waiting} segments wait`,
    };
  }
  if (age >= lateSeconds) {
    return { problem: "archive-late", detail: `${waiting} segments wait, the oldest one for ${age} s` };
  }
  if (newest === undefined) {
    const isLate = secondsSince(since.getTime() / 1000) > firstBackupSeconds;
    return {
      ...(isLate && { problem: "archive-empty" as const }),
      detail: "no base backup yet; the first one begins by itself",
    };
  }
  const begin = new Date(first * 1000).toISOString().slice(0, 19).replace("T", " ");
  // A database that was killed begins its statistics again.
  const newestChange =
    archived === 0
      ? "no change was archived since the database's last recovery"
      : `the newest change was archived ${secondsSince(archived)} s ago`;
  const [source] = wordsOf("source");
  const read = source === undefined ? "" : `; the newest base backup was read from ${source}`;
  const detail = `any second since ${begin} UTC; ${newestChange}${read}`;
  const hours = Math.floor(secondsSince(newest) / 3600);
  return hours > mostBackupHours
    ? { problem: "base-backup-late", detail: `the newest base backup is ${hours} h old` }
    : { detail };
}
