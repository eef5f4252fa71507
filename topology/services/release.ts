/** The release: migrations and initialisation, two containers that must succeed before a new version starts. */
import type { Settings } from "../../config/schema.ts";
import { coreOf, isLocal, onlyService } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";
import { imageConfinement } from "./image.ts";

/** What prepares a new version; a command without words is none. */
export interface ReleaseCommands {
  /** Changes the database's tables. */
  readonly migrate: readonly string[];
  /** Writes the rows that the application needs. */
  readonly initialise: readonly string[];
}

export interface ReleaseService extends BaseService<"release">, ReleaseCommands {}

export const releaseOf = ({ migrate, initialise }: Settings["app"]): ReleaseCommands => ({ migrate, initialise });

export const release: Definition<ReleaseService> = {
  images: () => ["app"],
  ports: {},
  callers: [],
  movesTo: [],
  keeps: "nothing",
  runs: "once",
  lossEffect: undefined,
  memorySettings: ({ app }) => [`orion:app.memoryMb (${app.memoryMb})`],
  cpuShares: 512,
  confinement: imageConfinement,
  commands: () => ({}),
  probe: () => ({ kind: "health" }),
  plan(planning) {
    const { services, app } = planning.settings;
    if (isLocal(planning) && !services.includes("app") && !services.includes("workers")) return [];
    // It has one process, an instance of the app has several.
    const memoryMb = Math.min(1024, app.memoryMb);
    return [{ ...onlyService(planning, { kind: "release", at: coreOf(planning), memoryMb }), ...releaseOf(app) }];
  },
};
