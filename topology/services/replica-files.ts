/** pgBackRest's server beside the replica, from which base backups read. */
import { publish, serversOf, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { archivesWal } from "./archive.ts";

export const replicaFilesPorts = { backrest: 8432 } as const;

export const replicaFiles: Definition<BaseService<"replica-files">> = {
  // The replica's own: pgBackRest refuses another version of itself at the other end.
  images: () => ["database"],
  ports: replicaFilesPorts,
  // The archive's commands run in the primary's container.
  callers: ["archive"],
  movesTo: [],
  keeps: "nothing",
  runs: "always",
  lossEffect: undefined,
  memorySettings: () => [],
  // As the archive: the replica and its readers go first.
  cpuShares: 256,
  confinement: {
    networks: ["data"],
    capabilities: [],
    writable: [],
    // pgBackRest's locks.
    memoryFolders: { "/tmp": "rw,nosuid,nodev,noexec,size=1m" },
    processes: 32,
  },
  commands: () => ({}),
  probe: () => ({ kind: "health" }),
  plan(planning) {
    // A base backup reads one replica; the dump reads the same one.
    const [at] = serversOf(planning, "db");
    if (!at || !archivesWal(planning.settings)) return [];
    const published = publish(at, replicaFilesPorts.backrest);
    return [serviceAt(planning, { kind: "replica-files", at, memoryMb: 128, published })];
  },
};
