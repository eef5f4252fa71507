/** Celery Beat, the schedule: once in a stack, beside the first workers. */
import { coreOf, isLocal, onlyService, placesFor } from "../planning.ts";
import type { Definition } from "../service.ts";
import { imageConfinement } from "./image.ts";
import { celeryCommand, type CeleryService } from "./worker.ts";

export const beat: Definition<CeleryService<"beat">> = {
  images: () => ["app"],
  ports: {},
  callers: [],
  movesTo: ["worker"],
  keeps: "nothing",
  runs: "always",
  lossEffect: {
    effect: "no scheduled task would be sent",
    weight: "notice",
    keep: "leave orion:workers.enabled true, and orion:workers.commands.beat as it was",
  },
  memorySettings: ({ workers }) => [`orion:workers.beatMemoryMb (${workers.beatMemoryMb})`],
  cpuShares: 512,
  confinement: imageConfinement,
  commands: () => ({}),
  probe: () => ({ kind: "health" }),
  plan(planning) {
    const { services, workers } = planning.settings;
    const command = celeryCommand(planning.settings, "beat");
    if (command.length === 0 || (isLocal(planning) && !services.includes("beat"))) return [];
    const at = placesFor(planning, "worker")[0] ?? coreOf(planning);
    return [
      {
        ...onlyService(planning, { kind: "beat", at, memoryMb: workers.beatMemoryMb }),
        command,
      },
    ];
  },
};
