/** Planned, not built yet: metrics, logs, dashboards and alerts, on a dedicated server. */
import { onlyService, publish, serversOf } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";

const ports = { http: 3000 } as const;

export const monitoring: Definition<BaseService<"monitoring">> = {
  images: () => [],
  ports,
  callers: [],
  movesTo: [],
  keeps: "data",
  runs: "always",
  lossEffect: undefined,
  scheme: "http",
  memorySettings: () => [],
  cpuShares: 1024,
  confinement: { networks: ["data"], capabilities: [], writable: [], memoryFolders: {}, processes: 256 },
  commands: () => ({}),
  probe: () => ({ kind: "health" }),
  plan: (planning) =>
    serversOf(planning, "monitor")
      .slice(0, 1)
      .map((at) =>
        onlyService(planning, { kind: "monitoring", at, memoryMb: 2048, published: publish(at, ports.http) }),
      ),
};
