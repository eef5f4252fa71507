/** A streaming replica of PostgreSQL, on a server with its own Volume. */
import { runsOwnDatabase } from "../../config/own-database.ts";
import { replicaName } from "../fleet.ts";
import { coreOf, publish, serversOf, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { postgresDefinition, postgresPorts } from "./postgres.ts";

export interface ReplicaService extends BaseService<"replica"> {
  /** `host:port` of its primary. */
  readonly follows: string;
}

export const replica: Definition<ReplicaService> = {
  ...postgresDefinition,
  probe: () => ({ kind: "replica" }),
  plan(planning) {
    const { memoryMb } = planning.settings.database;
    if (!runsOwnDatabase(planning.settings.database)) return [];
    return serversOf(planning, "db").map((at) => {
      const published = publish(at, postgresPorts.postgres);
      const spec = { kind: "replica", at, memoryMb, published, name: replicaName(at.name) } as const;
      return { ...serviceAt(planning, spec), follows: `${coreOf(planning).address}:${postgresPorts.postgres}` };
    });
  },
};
