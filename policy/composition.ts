/** Compares a plan with a graph: each lasting service has exactly one container, and no other container exists. Pure. */
import { lastingServices, type Topology } from "../topology/topology.ts";
import { type Graph, keyOf, type Recorded } from "./graph.ts";
import { labelOf, types } from "./stateful.ts";

/** @returns the differences, one line each */
export function compositionProblems(topology: Topology, { resources }: Graph): string[] {
  const containers = resources.filter(({ type }) => type === types.container);
  const planned = lastingServices(topology);
  const names = new Set(planned.map(({ name }) => name));
  return [
    ...planned.flatMap(({ name }) => {
      const { length } = containers.filter((one) => serviceOf(one) === name);
      return length === 1 ? [] : [`${name} is planned once and has ${length} containers`];
    }),
    ...containers
      .filter((one) => !names.has(serviceOf(one)))
      .map((one) => `${keyOf(one)} runs ${serviceOf(one)}, which the plan does not have`),
  ];
}

/** The service that a container's label names. */
const serviceOf = (container: Recorded): string => labelOf(container, "service") || "no service";
