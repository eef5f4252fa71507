/** Checks that a plan fits: memory of each server, connections of PostgreSQL, servers of a placement group. Pure. */
import { smallestMemoryMb, unknownTypes } from "../config/server-types.ts";
import type { Settings } from "../config/schema.ts";
import { definitionOf } from "./catalogue.ts";
import { placementGroupSize } from "./fleet.ts";
import { connectionNote, connectionProblem, poolerClientProblem } from "./pools.ts";
import { typesSetting } from "./server.ts";
import type { Service } from "./service.ts";
import type { Topology } from "./topology.ts";

/** Memory for the kernel, the Docker Engine, SSH and the system's services, in MiB. */
export const systemMemoryMb = 640;

/** One line, with the sum, for each budget that the plan exceeds. */
export const budgetProblems = (topology: Topology, settings: Settings): string[] => [
  ...memoryProblems(topology, settings),
  ...connectionProblem(topology, settings),
  ...poolerClientProblem(topology, settings),
  ...groupProblems(topology),
];

/** The limits of a server's containers, in MiB, as far as they are counted. */
export const memoryOf = (topology: Topology, server: string): number =>
  countedOn(topology, server).reduce((sum, { memoryMb }) => sum + memoryMb, 0);

/** What always runs on a server, and the largest of what runs for a while: if memory runs out all the same, the kernel kills that first. */
function countedOn({ services }: Topology, server: string): Service[] {
  const there = services.filter((service) => service.server === server && service.memoryMb > 0);
  const lasts = ({ kind }: Service) => definitionOf(kind).runs === "always";
  const [largest] = there.filter((service) => !lasts(service)).toSorted(byMemory);
  return [...there.filter(lasts), ...(largest ? [largest] : [])];
}

const byMemory = (one: Service, other: Service): number => other.memoryMb - one.memoryMb;

/** The server of each role that lacks the most: what is changed for it is changed for the others as well. */
function memoryProblems(topology: Topology, settings: Settings): string[] {
  const lacks = topology.servers.flatMap((server) => {
    const has = smallestMemoryMb(server.types);
    const needs = memoryOf(topology, server.name);
    return has === undefined || needs + systemMemoryMb <= has ? [] : [{ server, has, needs }];
  });
  const worst = lacks
    .toSorted((one, other) => other.needs - one.needs)
    .filter(({ server }, index, all) => all.findIndex((one) => one.server.role === server.role) === index);
  return worst.map(({ server: { name, role, types }, has, needs }) => {
    const services = countedOn(topology, name).toSorted(byMemory);
    const parts = services.map(({ name: service, memoryMb }) => `${service} ${memoryMb}`);
    const smallest = types.filter((type) => smallestMemoryMb([type]) === has);
    const limits = [...new Set(services.flatMap(({ kind }) => definitionOf(kind).memorySettings(settings)))];
    return (
      `server ${name}: its containers may take ${needs} MiB (${parts.join(", ")}) and the system ${systemMemoryMb}, ` +
      `${smallest.join(" and ")} of ${typesSetting[role]} ${smallest.length > 1 ? "have" : "has"} ${has}; name types with ` +
      `${needs + systemMemoryMb} or more there${limits.length > 0 ? `, or lower ${limits.join(", ")}` : ""}`
    );
  });
}

/** One line for each budget that could not be checked, or that the plan exceeds in rare moments only. */
export const budgetNotes = (topology: Topology, settings: Settings): string[] => [
  ...memoryNotes(topology),
  ...connectionNote(topology, settings),
];

/** One line for each setting with server types whose memory is not known here: nothing says whether the containers fit into them. */
function memoryNotes(topology: Topology): string[] {
  const settings = [...new Set(topology.servers.map(({ role }) => typesSetting[role]))];
  return settings.flatMap((setting) => {
    const servers = topology.servers.filter(({ role }) => typesSetting[role] === setting);
    const unknown = new Set(servers.flatMap(({ types }) => unknownTypes(types)));
    if (unknown.size === 0) return [];
    const needs = Math.max(...servers.map(({ name }) => memoryOf(topology, name) + systemMemoryMb));
    return [
      `${setting}: the memory of ${[...unknown].join(" and ")} is not known here, so that it was not checked; ` +
        `containers and system may take ${needs} MiB there`,
    ];
  });
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
