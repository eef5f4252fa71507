/** A second PostgreSQL, in memory, in the development stack: the app's tests use it. */
import { isLocal, localPlacement, onlyService, publish } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { postgresDefinition, postgresPorts } from "./postgres.ts";

export const testDatabase: Definition<BaseService<"test-database">> = {
  ...postgresDefinition,
  callers: [],
  keeps: "nothing",
  // Of a local stack, whose memory is not added up.
  memorySettings: () => [],
  cpuShares: 1024,
  plan(planning) {
    const { services, ports } = planning.settings;
    if (!isLocal(planning) || !services.includes("testDatabase")) return [];
    const published = publish(localPlacement, postgresPorts.postgres, ports.testDatabase);
    return [onlyService(planning, { kind: "test-database", at: localPlacement, memoryMb: 512, published })];
  },
};
