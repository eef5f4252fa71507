/** Flower, the task monitor: once in a stack, on loopback, beside the first workers. */
import { coreOf, isLocal, loopback, onlyService, placesFor, publish } from "../planning.ts";
import type { Definition } from "../service.ts";
import { imageConfinement } from "./image.ts";
import { celeryCommand, type CeleryService } from "./worker.ts";

export const flowerPorts = { http: 5555 } as const;

export const flower: Definition<CeleryService<"flower">> = {
  images: () => ["app"],
  ports: flowerPorts,
  callers: [],
  movesTo: ["worker"],
  keeps: "nothing",
  runs: "always",
  lossEffect: {
    effect: "tasks would have no monitor",
    weight: "notice",
    keep: "leave orion:workers.enabled true, and orion:workers.commands.flower as it was",
  },
  scheme: "http",
  memorySettings: ({ workers }) => [`orion:workers.flowerMemoryMb (${workers.flowerMemoryMb})`],
  cpuShares: 256,
  confinement: imageConfinement,
  commands: () => ({}),
  probe: () => ({ kind: "http", path: "/", port: flowerPorts.http, failure: "no-answer" }),
  plan(planning) {
    const { services, ports, workers } = planning.settings;
    const command = celeryCommand(planning.settings, "flower");
    if (command.length === 0 || (isLocal(planning) && !services.includes("flower"))) return [];
    const at = placesFor(planning, "worker")[0] ?? coreOf(planning);
    const port = isLocal(planning) ? ports.flower : flowerPorts.http;
    // On a server, too: people reach it through SSH.
    const published = publish({ ...at, address: loopback }, flowerPorts.http, port);
    return [
      {
        ...onlyService(planning, { kind: "flower", at, memoryMb: workers.flowerMemoryMb, published }),
        command,
      },
    ];
  },
};
