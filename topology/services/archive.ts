/** The archive of PostgreSQL's changes: timers on the primary's server, which take its base backups and check that WAL is archived. */
import { runsOwnDatabase } from "../../config/own-database.ts";
import { archiveBackupUnit, archiveCommand } from "../../common/server-contract.ts";
import type { Settings } from "../../config/schema.ts";
import { coreOf, onlyService } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { timedDefinition } from "./timed.ts";

/** Whether a stack's database archives its WAL: only to a place that the loss of the server does not take along. */
export const archivesWal = ({ backups, database, storage, hosting }: Settings): boolean =>
  backups.pointInTime && runsOwnDatabase(database) && storage.backend === "r2" && hosting !== "local";

export const archive: Definition<BaseService<"archive">> = {
  ...timedDefinition,
  images: (settings) => (archivesWal(settings) ? ["database"] : []),
  commands: () => ({
    "what can be restored": `${archiveCommand} info`,
    "base backup now": `systemctl start ${archiveBackupUnit}`,
    logs: `journalctl --unit ${archiveBackupUnit} --unit orion-archive-check --lines 200 --follow`,
  }),
  plan(planning) {
    // It runs in the primary's container, whose memory it uses; what reads the files of a replica is replica-files.ts.
    return archivesWal(planning.settings)
      ? [onlyService(planning, { kind: "archive", at: coreOf(planning), memoryMb: 0 })]
      : [];
  },
};
