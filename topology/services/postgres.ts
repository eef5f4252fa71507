/** The common part of the definitions of all PostgreSQL servers: primary, replicas, and the tests' database. Pure. */
import type { Definition } from "../service.ts";

export const postgresPorts = { postgres: 5432 } as const;

export const postgresDefinition = {
  images: () => ["postgres"] as const,
  ports: postgresPorts,
  callers: ["app", "worker", "beat", "flower", "release", "pgbouncer", "replica", "backup"],
  keeps: "data",
  runs: "always",
  scheme: "postgresql",
  cpuShares: 2048,
  commands: {
    psql: "psql",
    "active queries": `psql -c "SELECT pid, state, now() - query_start AS runs, left(query, 80) AS query FROM pg_stat_activity WHERE state <> 'idle'"`,
  },
  probe: { kind: "postgres" },
} as const satisfies Omit<Definition, "plan">;
