/** Planned, not built yet: the exporter of a server's own metrics, on each server of a stack that is monitored. */
import { placementOn, publish, serviceAt } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";

const ports = { metrics: 9100 } as const;

export const exporter: Definition<BaseService<"exporter">> = {
  images: () => [],
  ports,
  callers: ["monitoring"],
  movesTo: [],
  keeps: "nothing",
  runs: "always",
  lossEffect: undefined,
  memorySettings: () => [],
  cpuShares: 256,
  confinement: { networks: ["data"], capabilities: [], writable: [], memoryFolders: {}, processes: 64 },
  commands: () => ({}),
  probe: () => ({ kind: "health" }),
  plan(planning) {
    if (!planning.settings.monitoring.enabled) return [];
    return planning.servers
      .map(placementOn)
      .map((at) => serviceAt(planning, { kind: "exporter", at, memoryMb: 64, published: publish(at, ports.metrics) }));
  },
};
