/** The common part of the definitions of all PostgreSQL servers: primary, replicas, and the tests' database. Pure. */
import type { ImageKey } from "../../config/images.ts";
import type { Settings } from "../../config/schema.ts";
import type { Definition } from "../service.ts";
import { archivesWal } from "./archive.ts";
import { imageKinds } from "./image.ts";

export const postgresPorts = { postgres: 5432 } as const;

/** The image that a stack's servers of PostgreSQL run: with pgBackRest where they archive. */
export const postgresImage = (settings: Settings): "database" | "postgres" =>
  archivesWal(settings) ? "database" : "postgres";

export const postgresDefinition = {
  images: (settings: Settings): readonly ImageKey[] => [postgresImage(settings)],
  ports: postgresPorts,
  callers: [
    ...imageKinds,
    ...(["gateway", "pgbouncer", "replica", "replica-health", "replica-files", "backup"] as const),
  ],
  movesTo: [],
  keeps: "data",
  runs: "always",
  lossEffect: undefined,
  scheme: "postgresql",
  memorySettings: ({ database }: Settings) => [`orion:database.memoryMb (${database.memoryMb})`],
  cpuShares: 2048,
  confinement: {
    networks: ["data"],
    // The entrypoint gives its folders to the user postgres, becomes this user, and PID 1 passes signals on to it.
    capabilities: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"],
    writable: [],
    memoryFolders: { "/tmp": "rw,nosuid,nodev,size=64m", "/var/run/postgresql": "rw,nosuid,nodev,noexec,size=1m" },
    // One for each connection, of which there are 5000 at most.
    processes: 8192,
  },
  commands: () => ({
    psql: "psql",
    "active queries": `psql -c "SELECT pid, state, now() - query_start AS runs, left(query, 80) AS query FROM pg_stat_activity WHERE state <> 'idle'"`,
  }),
  probe: () => ({ kind: "postgres" }),
} as const satisfies Omit<Definition, "plan">;
