/** Checks that a plan fits: memory of each server, connections of PostgreSQL, servers of a placement group. Pure. */
import { smallestMemoryMb } from "../config/server-types.ts";
import type { Settings } from "../config/schema.ts";
import { placementGroupSize } from "./fleet.ts";
import { connectionProblem, poolerClientProblem } from "./pools.ts";
import type { Server } from "./server.ts";
import type { Topology } from "./topology.ts";

/** Memory for the kernel, the Docker Engine, SSH and the system's services, in MiB. */
export const systemMemoryMb = 640;

/** One line, with the sum, for each budget that the plan exceeds. */
export const budgetProblems = (topology: Topology, settings: Settings): string[] => [
  ...topology.servers.flatMap((server) => memoryProblem(topology, server)),
  ...connectionProblem(topology, settings),
  ...poolerClientProblem(topology, settings),
  ...groupProblems(topology),
];

/** The limits of all containers of a server, in MiB. */
export const memoryOf = ({ services }: Topology, server: string): number =>
  services.filter((service) => service.server === server).reduce((sum, { memoryMb }) => sum + memoryMb, 0);

function memoryProblem(topology: Topology, { name, types }: Server): string[] {
  const has = smallestMemoryMb(types);
  const needs = memoryOf(topology, name);
  if (has === undefined || needs + systemMemoryMb <= has) return [];
  const parts = topology.services
    .filter(({ server }) => server === name)
    .toSorted((one, other) => other.memoryMb - one.memoryMb)
    .map(({ name: service, memoryMb }) => `${service} ${memoryMb}`);
  return [
    `server ${name}: its containers may take ${needs} MiB (${parts.join(", ")}) and the system ${systemMemoryMb}, ` +
      `${types.join(" or ")} has ${has}; name larger server types, or lower memoryMb of orion:database, orion:app or ` +
      "orion:workers, or maxMemoryMb of orion:cache",
  ];
}

function groupProblems({ servers }: Topology): string[] {
  const groups = [...new Set(servers.map(({ placementGroup }) => placementGroup))];
  return groups.flatMap((group) => {
    const { length } = servers.filter(({ placementGroup }) => placementGroup === group);
    return length <= placementGroupSize
      ? []
      : [
          `placement group ${group}: ${length} servers, and Hetzner's placement groups have room for ${placementGroupSize}; ` +
            "fewer and larger servers do the same work",
        ];
  });
}
