/** PostgreSQL's primary. A promoted replica is planned here too, under the name that it had as a replica. */
import { runsOwnDatabase } from "../../config/own-database.ts";
import { formerPrimary, replicaName } from "../fleet.ts";
import { coreOf, isLocal, onlyService, publish, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { postgresDefinition, postgresPorts } from "./postgres.ts";

export interface DatabaseService extends BaseService<"database"> {
  /** `host:port` of its former primary. @default - it was never a replica */
  readonly follows?: string;
}

export const database: Definition<DatabaseService> = {
  ...postgresDefinition,
  plan(planning) {
    const { database: own, ports } = planning.settings;
    if (!runsOwnDatabase(own)) return [];
    const at = coreOf(planning);
    const published = publish(at, postgresPorts.postgres, isLocal(planning) ? ports.database : postgresPorts.postgres);
    const spec = { kind: "database", at, memoryMb: own.memoryMb, published } as const;
    const former = isLocal(planning) ? undefined : formerPrimary(own.primary);
    if (!former) return [onlyService(planning, spec)];
    const follows = `${former.privateAddress}:${postgresPorts.postgres}`;
    return [{ ...serviceAt(planning, { ...spec, name: replicaName(own.primary) }), follows }];
  },
};
