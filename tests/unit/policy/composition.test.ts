/** What is planned is composed, and nothing else: a service without a container, or a container without a service, is found. */
import { compositionProblems } from "../../../policy/composition.ts";
import type { Graph } from "../../../policy/graph.ts";
import { graphsBetween, stackOf } from "./support.ts";

const graphOf = async (phase: "development" | "mvp" | "scale") => {
  const stack = stackOf(phase);
  return { topology: stack.topology, graph: (await graphsBetween(stack, stack)).after };
};

test.each(["development", "mvp", "scale"] as const)("the program of phase %s follows its plan", async (phase) => {
  const { topology, graph } = await graphOf(phase);
  expect(compositionProblems(topology, graph)).toEqual([]);
});

test("the program of a stack with Sentinel follows its plan", async () => {
  const stack = stackOf("scale", { cache: { availability: "sentinel" } });
  const { after } = await graphsBetween(stack, stack);
  expect(compositionProblems(stack.topology, after)).toEqual([]);
  expect(after.resources.filter(({ name }) => /^sentinel-.*-server$/.test(name))).toHaveLength(3);
});

test("a planned service that has no container, and one that has two, are named", async () => {
  const { topology, graph } = await graphOf("mvp");
  const beat = graph.resources.filter(({ name }) => name === "workers-beat");
  const less: Graph = { ...graph, resources: graph.resources.filter((one) => !beat.includes(one)) };
  expect(compositionProblems(topology, less)).toEqual(["beat is planned once and has 0 containers"]);
  const more: Graph = { ...graph, resources: [...graph.resources, ...beat] };
  expect(compositionProblems(topology, more)).toEqual(["beat is planned once and has 2 containers"]);
});

test("a container that is of no planned service is named", async () => {
  const { topology, graph } = await graphOf("mvp");
  const services = topology.services.filter(({ kind }) => kind !== "flower");
  expect(compositionProblems({ ...topology, services }, graph)).toEqual([
    "docker:index/container:Container workers-flower runs flower, which the plan does not have",
  ]);
});
