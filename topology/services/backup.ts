/** The backup of PostgreSQL: a timer on the replica's server, or on the primary's where there is no replica. */
import { backupCommand, backupUnit, drillCommand } from "../../common/server-contract.ts";
import { coreOf, onlyService, serversOf } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { timedDefinition } from "./timed.ts";

export const backup: Definition<BaseService<"backup">> = {
  ...timedDefinition,
  images: () => ["postgres", "rclone"],
  commands: () => ({
    "list backups": `${backupCommand} list`,
    "back up now": `systemctl start ${backupUnit}`,
    "restore drill": drillCommand,
    logs: `journalctl --unit ${backupUnit} --lines 200 --follow`,
  }),
  plan(planning) {
    // Backups in local files would be lost together with the data.
    if (planning.settings.storage.backend !== "r2") return [];
    const [replica] = serversOf(planning, "db");
    return [onlyService(planning, { kind: "backup", at: replica ?? coreOf(planning), memoryMb: 256 })];
  },
};
