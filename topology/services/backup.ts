/** The backup of PostgreSQL: a timer of the server with the replica, or else of the one with the primary. */
import { backupCommand, backupUnit, drillCommand } from "../../common/server-contract.ts";
import { coreOf, onlyService, serversOf } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";

export const backup: Definition<BaseService<"backup">> = {
  images: () => ["postgres", "rclone"],
  ports: {},
  callers: [],
  keeps: "nothing",
  runs: "by timer",
  cpuShares: 256,
  commands: {
    "list backups": `${backupCommand} list`,
    "back up now": `systemctl start ${backupUnit}`,
    "restore drill": drillCommand,
    logs: `journalctl --unit ${backupUnit} --lines 200 --follow`,
  },
  probe: { kind: "health" },
  plan(planning) {
    // Local files would lie beside the data that they are to replace.
    if (planning.settings.storage.backend !== "r2") return [];
    const [replica] = serversOf(planning, "db");
    return [onlyService(planning, { kind: "backup", at: replica ?? coreOf(planning), memoryMb: 256 })];
  },
};
