/** The backup of PostgreSQL: a timer on the replica's server, on the primary's where there is no replica, and beside the release with an external one. */
import { backupCommand, backupUnit, drillCommand } from "../../common/server-contract.ts";
import { coreOf, onlyService, serversOf } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { timedDefinition } from "./timed.ts";

/**
 * Memory limits of its three containers, in MiB: of the session that holds the snapshot and counts rows, of the client that dumps, and
 * of the one that uploads what that prints.
 */
export const backupMemoryMb = { session: 128, dump: 384, store: 256 } as const;

export const backup: Definition<BaseService<"backup">> = {
  ...timedDefinition,
  // The app's image has the certificate of an external server's authority, if the URL names one.
  images: ({ database }) => ["postgres", "rclone", ...(database.mode === "external" ? (["app"] as const) : [])],
  commands: () => ({
    "list backups": `${backupCommand} list`,
    "back up now": `systemctl start ${backupUnit}`,
    "restore drill": drillCommand,
    logs: `journalctl --unit ${backupUnit} --lines 200 --follow`,
  }),
  plan(planning) {
    // Backups in local files would be lost together with the data.
    const { storage, database } = planning.settings;
    if (storage.backend !== "r2") return [];
    // The stack's own replica may run beside an external database, and has nothing of it.
    const memoryMb = backupMemoryMb.session + backupMemoryMb.dump + backupMemoryMb.store;
    const [replica] = database.mode === "external" ? [] : serversOf(planning, "db");
    return [onlyService(planning, { kind: "backup", at: replica ?? coreOf(planning), memoryMb })];
  },
};
