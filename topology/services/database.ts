/** PostgreSQL's primary. A promoted replica is planned here too, under the name that it had as a replica. */
import { formerPrimary, replicaName } from "../fleet.ts";
import { coreOf, isLocal, onlyService, publish, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";

export const postgresPorts = { postgres: 5432 } as const;

export interface DatabaseService extends BaseService<"database"> {
  /** `host:port` of its former primary. @default - it was never a replica */
  readonly follows?: string;
}

/** Commands for any PostgreSQL container. */
export const postgresCommands: Readonly<Record<string, string>> = {
  psql: "psql",
  "active queries": `psql -c "SELECT pid, state, now() - query_start AS runs, left(query, 80) AS query FROM pg_stat_activity WHERE state <> 'idle'"`,
};

export const database: Definition<DatabaseService> = {
  images: () => ["postgres"],
  ports: postgresPorts,
  callers: ["app", "worker", "beat", "flower", "release", "pgbouncer", "replica", "backup"],
  keeps: "data",
  runs: "always",
  scheme: "postgresql",
  cpuShares: 2048,
  commands: postgresCommands,
  probe: { kind: "postgres" },
  plan(planning) {
    const { database: own, ports } = planning.settings;
    if (own.mode === "external") return [];
    const at = coreOf(planning);
    const published = publish(at, postgresPorts.postgres, isLocal(planning) ? ports.database : postgresPorts.postgres);
    const spec = { kind: "database", at, memoryMb: own.memoryMb, published } as const;
    const former = isLocal(planning) ? undefined : formerPrimary(own.primary);
    if (!former) return [onlyService(planning, spec)];
    const follows = `${former.privateAddress}:${postgresPorts.postgres}`;
    return [{ ...serviceAt(planning, { ...spec, name: replicaName(own.primary) }), follows }];
  },
};
