/** Checks that a plan fits: memory of each server, connections of PostgreSQL, servers of a placement group. Pure. */
import { smallestMemoryMb } from "../config/server-types.ts";
import type { Settings } from "../config/schema.ts";
import { placementGroupSize } from "./fleet.ts";
import { connectionProblem, poolerClientProblem } from "./pools.ts";
import { typesSetting } from "./server.ts";
import { definitionOf } from "./catalogue.ts";
import type { Service, ServiceKind } from "./service.ts";
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
    const limits = [...new Set(services.flatMap(({ kind }) => limitsOf[kind]?.(settings) ?? []))];
    return (
      `server ${name}: its containers may take ${needs} MiB (${parts.join(", ")}) and the system ${systemMemoryMb}, ` +
      `${smallest.join(" and ")} of ${typesSetting[role]} ${smallest.length > 1 ? "have" : "has"} ${has}; name types with ` +
      `${needs + systemMemoryMb} or more there, or lower ${limits.join(", ")}`
    );
  });
}

/** The settings that decide how much memory the services of a kind may take, with their values. */
const limitsOf: Readonly<Partial<Record<ServiceKind, (settings: Settings) => readonly string[]>>> = (() => {
  const ofDatabase = ({ database }: Settings) => [`orion:database.memoryMb (${database.memoryMb})`];
  const ofCache = ({ cache }: Settings) => [`orion:cache.maxMemoryMb (${cache.maxMemoryMb})`];
  const ofBroker = ({ cache }: Settings) => [`orion:cache.brokerMaxMemoryMb (${cache.brokerMaxMemoryMb})`];
  return {
    ...{ database: ofDatabase, replica: ofDatabase, cache: ofCache, "cache-replica": ofCache },
    ...{ broker: ofBroker, "broker-replica": ofBroker },
    app: ({ app }) => [`orion:app.memoryMb (${app.memoryMb})`, `orion:app.instances (${app.instances})`],
    worker: ({ workers }) => [`orion:workers.memoryMb (${workers.memoryMb})`],
  };
})();

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
