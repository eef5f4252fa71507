/** Checks point-in-time recovery: R2 over https, and a queue of at most half the Volume. Pure. */
import { runsOwnDatabase } from "../own-database.ts";
import { line } from "../line.ts";
import type { Settings } from "../schema.ts";

/** @returns the problems, one line each */
export function checkArchive({ hosting, backups, database, storage }: Settings): string[] {
  if (hosting === "local" || !backups.pointInTime || !runsOwnDatabase(database) || storage.backend !== "r2") return [];
  const { endpoint } = storage;
  const most = Math.floor(database.volumeGb / 2);
  return [
    // Without `clearText`, every stack is told about such an endpoint.
    ...(endpoint === undefined || endpoint.startsWith("https://") || storage.clearText !== true
      ? []
      : [
          line(
            "storage.endpoint",
            endpoint,
            "an https:// URL while orion:backups.pointInTime is true: pgBackRest needs TLS",
          ),
        ]),
    ...(backups.archiveQueueGb <= most
      ? []
      : [
          line(
            "backups.archiveQueueGb",
            backups.archiveQueueGb,
            `${most} at most, half of orion:database.volumeGb (${database.volumeGb}): the data needs the rest`,
          ),
        ]),
  ];
}

/** What a stack says about point-in-time recovery, where the phase's own default stays without effect. @returns the problems, one line each */
export function checkSaidArchive({ hosting, storage }: Pick<Settings, "hosting" | "storage">): string[] {
  if (hosting === "local" || storage.backend === "r2") return [];
  const why = "the changes are archived to R2";
  return [line("backups.pointInTime", true, `false while orion:storage.backend is ${storage.backend}: ${why}`)];
}
