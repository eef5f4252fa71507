/** What is known of a stack beside its resources: by its settings, and by its state. */
import { moveBetween } from "../../../policy/dangers.ts";
import { factsIn, factsOf } from "../../../policy/stack-facts.ts";
import { graphOf } from "../../../policy/state.ts";
import { sharedGraph } from "../support/graphs.ts";
import { graphsBetween, stackOf, stateOf, titles } from "./support.ts";

const bare = { cloudflare: { enabled: false, accountId: "0".repeat(32) } };
const redirects = { ...bare, edge: { tls: "acme" }, domains: { "www.example.com": "redirect" } };

test("the database of an existing stack is told by its output, or by its containers", async () => {
  const { resources } = await sharedGraph(stackOf("mvp"));
  expect(factsIn(resources, {}).databaseMode).toBe("provision");
  expect(factsIn(resources, { databaseMode: "external" }).databaseMode).toBe("external");
  const without = resources.filter(({ name }) => name !== "database-server");
  expect(factsIn(without, {}).databaseMode).toBe("external");
  expect(factsIn([], {})).toEqual({ hostNames: [], cacheMode: "external" });
});

test.each([
  ["mvp", {}],
  ["mvp", redirects],
  ["scale", {}],
  ["scale", { ...bare, edge: { tls: "self-signed" }, domains: { "www.example.com": "serve" } }],
  ["development", {}],
] as const)("a stack in phase %s with %j is known by its state as by its file", async (phase, values) => {
  const stack = stackOf(phase, values);
  const { hostNames, databaseMode, cacheMode, balancing } = graphOf(await stateOf(stack));
  expect({ hostNames, databaseMode, cacheMode, balancing }).toEqual({ balancing: undefined, ...factsOf(stack) });
});

test("a state of a version without the output has the names that its resources tell", async () => {
  const { resources = [] } = await stateOf(stackOf("mvp", redirects));
  expect(graphOf({ resources: resources?.map((one) => ({ ...one, outputs: {} })) }).hostNames).toEqual([
    "orion.example.com",
  ]);
});

test("names that an update half-way has made are known, though the outputs are those of the one before", async () => {
  const { resources } = await sharedGraph(stackOf("mvp", { domains: { "www.example.com": "serve" } }));
  const { hostNames } = factsIn(resources, { hostNames: ["former.example.com"] });
  expect(hostNames?.toSorted()).toEqual(["former.example.com", "orion.example.com", "www.example.com"]);
});

test("a redirected name that is taken away is refused in a state as between files", async () => {
  const [was, is] = [stackOf("mvp", redirects), stackOf("mvp", { ...redirects, domains: {} })];
  const { before, after } = await graphsBetween(was, is);
  expect(titles(moveBetween(before, after))).toContain("refused www.example.com");
  const ofState = moveBetween(graphOf(await stateOf(was)), await sharedGraph(is, "known"));
  expect(titles(ofState)).toContain("refused www.example.com");
});
