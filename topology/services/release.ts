/** The release: migrations and initialisation, two containers that must succeed before a new version starts. */
import { coreOf, isLocal, onlyService } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { imageConfinement } from "./image.ts";

export const migrateCommand = ["alembic", "upgrade", "head"] as const;
export const initialiseCommand = ["python", "scripts/seed/init_production.py"] as const;

export const release: Definition<BaseService<"release">> = {
  images: () => ["app"],
  ports: {},
  callers: [],
  keeps: "nothing",
  runs: "once",
  cpuShares: 512,
  confinement: imageConfinement,
  commands: {},
  probe: { kind: "health" },
  plan(planning) {
    const { services, app } = planning.settings;
    if (isLocal(planning) && !services.includes("app") && !services.includes("workers")) return [];
    // It has one process, an instance of the app has several.
    const memoryMb = Math.min(256, app.memoryMb);
    return [onlyService(planning, { kind: "release", at: coreOf(planning), memoryMb })];
  },
};
