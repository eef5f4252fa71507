/** The common part of the definitions of jobs that a timer starts on a server: backup and archive. Pure. */
import type { Definition } from "../service.ts";

export const timedDefinition = {
  ports: {},
  callers: [],
  movesTo: [],
  keeps: "nothing",
  runs: "by timer",
  lossEffect: undefined,
  memorySettings: () => [],
  cpuShares: 256,
  confinement: { networks: ["data"], capabilities: [], writable: ["/tmp"], memoryFolders: {}, processes: 256 },
  probe: () => ({ kind: "health" }),
} as const satisfies Omit<Definition, "images" | "commands" | "plan">;
