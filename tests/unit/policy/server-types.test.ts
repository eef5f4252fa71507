/** The types that servers have and get, as a move shows them. */
import { costOf } from "../../../policy/cost.ts";
import { moveBetween } from "../../../policy/dangers.ts";
import type { Graph, Recorded } from "../../../policy/graph.ts";
import { withServerTypes } from "../../../policy/server-types.ts";
import { types } from "../../../policy/stateful.ts";
import { graphsBetween, stackOf } from "./support.ts";

/** A server as a state or the program has it. @param noted what Hetzner's provider knows */
function graphOf(noted: string, listed: readonly string[] | undefined, chosen?: string): Graph {
  const options = { ignoreChanges: ["serverType"] };
  const resources: Recorded[] = [
    { type: types.server, name: "app-1-server", inputs: { serverType: noted }, options },
    ...(listed
      ? [
          {
            type: types.serverType,
            name: "app-1-type",
            inputs: { types: listed, ...(chosen && { type: chosen }) },
            options: {},
          },
        ]
      : []),
  ];
  return { resources, uses: new Map(resources.map(({ type, name }) => [`${type} ${name}`, {}])) };
}
const typesOf = (before: Graph, after: Graph) => {
  const once = withServerTypes({ before, after });
  // Who shows a move has done it before who judges it.
  const twice = withServerTypes(once);
  expect(twice).toEqual(once);
  return [once.before, once.after].map(({ resources }) => resources[0]?.inputs["serverType"]);
};
const asked = (...listed: string[]): Graph => graphOf(listed[0] ?? "", listed);

test("what a server has stays, as long as its list has it", () => {
  const exists = graphOf("cpx22", ["cpx22", "cx23"], "cx23");
  expect(typesOf(exists, asked("cpx22", "cx23"))).toEqual(["cx23", "cx23"]);
  expect(moveBetween(exists, asked("cpx22", "cx23")).changes).toEqual([]);
  expect(costOf(withServerTypes({ before: exists, after: asked("cpx22", "cx23") }).after).monthly).toBeCloseTo(5.49);
});

test("another list powers the server off, which is a danger", () => {
  const { changes, findings } = moveBetween(graphOf("cpx22", ["cpx22", "cx23"], "cx23"), asked("cpx32", "cx33"));
  expect(changes.map(({ resource, inputs }) => [resource.name, inputs])).toEqual([
    ["app-1-server", ["serverType"]],
    ["app-1-type", ["types"]],
  ]);
  expect(findings.map(({ name, happens }) => `${name} ${happens}`)).toEqual([
    "app-1-server would be powered off, and on again with another type: serverType changes from cx23 to cpx32",
  ]);
});

test("a state that is older than the choice has what its server says", () => {
  expect(typesOf(graphOf("cx23", undefined), asked("cpx22", "cx23"))).toEqual(["cx23", "cx23"]);
  expect(typesOf(graphOf("cx53", undefined), asked("cpx22", "cx23"))).toEqual(["cx53", "cpx22"]);
});

test("a type of another architecture is passed over, as by the plugin; without another one the change is refused", () => {
  expect(typesOf(graphOf("cpx32", ["cpx32"]), asked("cax31", "cpx42"))).toEqual(["cpx32", "cpx42"]);
  // A new server gets the first one.
  expect(typesOf({ resources: [], uses: new Map() }, asked("cax31", "cpx42"))).toEqual([undefined, "cax31"]);
  expect(typesOf(graphOf("cpx32", ["cpx32"]), asked("cpx99"))).toEqual(["cpx32", "cpx99"]);
});

test.each([
  ["database.servers of core-1", "mvp", { database: { servers: ["cax21", "cax31"], memoryMb: 3072 } }, "core-1-server"],
  ["cache.servers", "enterprise", { cache: { servers: ["cax11"] } }, "cache-2-server"],
] as const)("no server changes its architecture: %s", async (_what, phase, values, name) => {
  const { before, after } = await graphsBetween(stackOf(phase), stackOf(phase, values));
  const found = moveBetween(before, after).findings.find((one) => one.name === name);
  expect(found).toMatchObject({
    severity: "refused",
    happens: expect.stringMatching(
      /^cannot get another type: serverType changes from cpx\d2 to cax.1, and a server keeps its architecture/,
    ) as string,
    instead: expect.stringMatching(
      /^leave cpx\d2 in orion:(database|cache)\.servers, or name a type there that has x86$/,
    ) as string,
  });
});

test("a smaller disk is a danger: whether the server was created with the larger one, only Hetzner knows", () => {
  const [finding] = moveBetween(graphOf("cpx42", ["cpx42"]), asked("cx33")).findings;
  expect(finding).toMatchObject({
    severity: "danger",
    happens: expect.stringContaining("if it was created as cpx42, Hetzner does not give it cx33") as string,
  });
});
