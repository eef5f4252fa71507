/** The rules over every phase, and the guard over every pair of phases, with what the presets say. */
import { phases } from "../../../config/schema.ts";
import { isSafe, moveBetween } from "../../../policy/dangers.ts";
import { keyOf, madeIn } from "../../../policy/graph.ts";
import { composes, outlineOf } from "../../../policy/outline.ts";
import { brokenRules } from "../../../policy/rules.ts";
import { holdingIn, types } from "../../../policy/stateful.ts";
import { graphsBetween, outlineIn, pairs, serverPhases, stackOf, titles } from "./support.ts";

const built = phases.filter((phase) => composes(stackOf(phase)));

test("the phases that the program composes are looked at as composed", () => {
  expect(built).toEqual(expect.arrayContaining(["development", "mvp"]));
});

describe.each(built)("the program in phase %s", (phase) => {
  test("keeps every rule", async () => {
    const { after } = await graphsBetween(stackOf(phase), stackOf(phase));
    expect(brokenRules(after)).toEqual([]);
  });

  test("has what its outline says, with the same inputs and the same protection", async () => {
    const stack = stackOf(phase);
    const { after } = await graphsBetween(stack, stack);
    const outlined = outlineOf(stack.topology, stack.settings).resources;
    const composed = new Map(after.resources.map((resource) => [keyOf(resource), resource]));
    const lasting = outlined.filter(({ type }) => type !== types.container && type !== types.loadBalancer);
    expect(lasting.length).toBeGreaterThan(2);
    for (const { type, name, inputs, options } of lasting) {
      const { protect, retainOnDelete, ignoreChanges } = options;
      const found = composed.get(keyOf({ type, name }));
      expect({ name, inputs: found?.inputs }).toEqual({ name, inputs: expect.objectContaining(inputs) as unknown });
      const { protect: isProtected, retainOnDelete: isRetained, ignoreChanges: ignored } = found?.options ?? {};
      expect([name, isProtected, isRetained, ignored]).toEqual([name, protect, retainOnDelete, ignoreChanges]);
    }
    // Nothing that holds data is missing in the outline, but for what belongs to a container.
    const holds = holdingIn(after);
    const keys = new Set(outlined.map(keyOf));
    const lacking = madeIn(after).filter((resource) => holds(resource) !== undefined && !keys.has(keyOf(resource)));
    expect(lacking.map(keyOf)).toEqual([]);
  });
});

test.each(serverPhases)("phase %s protects what its outline has that holds data", (phase) => {
  const { resources } = outlineIn(stackOf(phase).settings);
  const held = resources.filter(({ type }) => type === types.volume || type === types.bucket || type === types.network);
  expect(held.length).toBeGreaterThan(3);
  expect(held.filter(({ options }) => options.protect !== true)).toEqual([]);
});

test.each(pairs)("from %s to %s nothing is lost, or the move is refused", async (from, to) => {
  const graphs = await graphsBetween(stackOf(from), stackOf(to));
  const move = moveBetween(graphs.before, graphs.after);
  const holds = holdingIn(graphs.before);
  const lost = move.changes.filter(
    ({ action, before }) =>
      (action === "delete" || action === "replace") && before?.options.protect === true && holds(before) !== undefined,
  );
  expect(titles(move)).toEqual(expect.arrayContaining(lost.map(({ resource }) => `refused ${resource.name}`)));
  const [was, is] = [phases.indexOf(from), phases.indexOf(to)];
  const first = phases.indexOf("mvp");
  // Growing on servers is safe; a move between a local stack and servers takes no data along.
  if (from === to || (was >= first && is > was)) {
    expect({ lost, safe: isSafe(move) }).toEqual({ lost: [], safe: true });
  } else if (is < was || from === "development") expect(isSafe(move)).toBe(false);
  else expect(lost).toEqual([]);
});

test.each(["scale", "enterprise"] as const)(
  "from %s to ha, with the presets alone, no server is moved or replaced",
  async (from) => {
    const graphs = await graphsBetween(stackOf(from), stackOf("ha"));
    const move = moveBetween(graphs.before, graphs.after);
    expect(move.findings.filter(({ severity }) => severity !== "danger")).toEqual([]);
    const replaced = move.changes.filter(({ action }) => action === "replace" || action === "delete");
    expect(replaced.map(({ resource }) => resource.name)).toEqual([]);
  },
);

test("a move back is safe for a stack that has asked for as much in phase mvp, once its replica is released", async () => {
  const values = { database: { volumeGb: 50 } };
  const unnoticed = ["danger hostname-orion.example.com-record", "danger replica-1-server"];
  const back = async (protection: boolean) => {
    const graphs = await graphsBetween(stackOf("scale", { ...values, protection }), stackOf("mvp", values));
    return titles(moveBetween(graphs.before, graphs.after));
  };
  expect(await back(true)).toEqual(["refused db-2-ip", "refused db-2-server", "refused db-2-volume", ...unnoticed]);
  expect(await back(false)).toEqual(["loss db-2-ip", "loss db-2-server", "loss db-2-volume", ...unnoticed]);
});

test("of the servers with copies of the same data, one is powered off at a time for another type", async () => {
  const { resources } = (await graphsBetween(stackOf("enterprise"), stackOf("enterprise"))).after;
  const typesBefore = (server: string) =>
    resources
      .filter((one) => one.type === types.serverType && one.name === `${server}-type`)
      .flatMap(({ options }) => options.dependencies ?? [])
      .filter((key) => key.startsWith(`${types.serverType} `));
  expect(["core-1", "db-2", "cache-2", "cache-3"].map(typesBefore)).toEqual([
    [],
    ...["core-1", "db-2", "cache-2"].map((server) => [`${types.serverType} ${server}-type`]),
  ]);
});
