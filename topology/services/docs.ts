/** The website of this repository's documentation, in the development stack only. */
import { isLocal, localPlacement, onlyService, publish } from "../planning.ts";
import type { BaseService, Definition } from "../service.ts";

export const docsPorts = { http: 9991 } as const;

export const docs: Definition<BaseService<"docs">> = {
  images: () => ["docs"],
  ports: docsPorts,
  callers: [],
  movesTo: [],
  keeps: "nothing",
  runs: "always",
  lossEffect: undefined,
  scheme: "http",
  memorySettings: () => [],
  cpuShares: 256,
  confinement: { networks: ["edge"], capabilities: [], writable: ["/tmp"], memoryFolders: {}, processes: 64 },
  commands: () => ({}),
  probe: () => ({ kind: "http", path: "/", port: docsPorts.http, failure: "no-answer" }),
  plan(planning) {
    const { services, ports } = planning.settings;
    if (!isLocal(planning) || !services.includes("docs")) return [];
    const published = publish(localPlacement, docsPorts.http, ports.docs);
    return [onlyService(planning, { kind: "docs", at: localPlacement, memoryMb: 256, published })];
  },
};
