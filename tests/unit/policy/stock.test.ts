import { changesBetween } from "../../../policy/changes.ts";
import { asAgreed } from "../../../policy/findings.ts";
import type { Graph } from "../../../policy/graph.ts";
import { addedBy, beyondLimits, soldOut, wantedServers, withAbleTypes } from "../../../policy/stock.ts";
import { firstType } from "../../../policy/server-types.ts";
import { types } from "../../../policy/stateful.ts";
import { graphOf } from "../../../policy/state.ts";
import { graphsBetween, stackOf, stateOf } from "./support.ts";

const nothing: Graph = { resources: [], uses: new Map() };

/** The state of a stack whose servers have the first type of their list, as the plugin writes it down. */
async function inState(phase: "mvp" | "scale"): Promise<Graph> {
  const graph = graphOf(await stateOf(stackOf(phase)));
  const resources = graph.resources.map((one) =>
    one.type === types.serverType ? { ...one, inputs: { ...one.inputs, type: firstType(one.inputs) } } : one,
  );
  return { ...graph, resources };
}
const wanted = (stack: ReturnType<typeof stackOf>, before: Graph, changes: Parameters<typeof wantedServers>[2] = []) =>
  wantedServers(stack.topology.servers, before, changes).map(({ server, why }) => `${server} ${why}`);

describe("servers that Hetzner has to make", () => {
  test("all of a new stack", () => {
    expect(wanted(stackOf("mvp"), nothing)).toEqual(["core-1 created"]);
  });

  test("none of a stack that has them", async () => {
    expect(wanted(stackOf("mvp"), await inState("mvp"))).toEqual([]);
  });

  test("the new ones of a move", async () => {
    const names = wanted(stackOf("scale"), await inState("mvp")).map((line) => line.split(" ")[0]);
    expect(names).toEqual(stackOf("scale").topology.servers.flatMap(({ name }) => (name === "core-1" ? [] : [name])));
  });

  test("those that are recreated", async () => {
    const before = await inState("mvp");
    const resource = before.resources.find(({ name }) => name === "core-1-server");
    if (!resource) throw new Error("core-1 is not in the state");
    const change = {
      action: "replace",
      resource,
      before: resource,
      inputs: ["network"],
      forcedBy: ["network"],
    } as const;
    expect(wanted(stackOf("mvp"), before, [change])).toEqual(["core-1 recreated"]);
  });

  test("those that get another type, and not those whose type is anywhere in the list", async () => {
    const before = await inState("mvp");
    const [has = ""] = stackOf("mvp").topology.servers[0]?.types ?? [];
    const withTypes = (list: readonly string[]) => stackOf("mvp", { database: { servers: list } });
    expect(wanted(withTypes(["ccx63"]), before)).toEqual(["core-1 changed to another type"]);
    expect(wanted(withTypes(["ccx63", has]), before)).toEqual([]);
  });
});

describe("what is sold out", () => {
  const app = { server: "app-3", location: "nbg1", types: ["cpx22", "cx33"], why: "created" } as const;
  const offers = (entries: Readonly<Record<string, readonly string[]>>) =>
    new Map(
      Object.entries(entries).map(([type, locations]) => [
        type,
        { diskGb: type === "cx23" ? 40 : 80, architecture: "x86", locations: new Set(locations) },
      ]),
    );

  test("nothing, while one type of the list is there", () => {
    expect(soldOut([app], offers({ cpx22: ["fsn1"], cx33: ["nbg1"] }))).toEqual([]);
  });

  test("is refused with the types that the location has, the locations that have the type, and the way past a wrong list", () => {
    const [finding, ...more] = soldOut([app], offers({ cpx22: ["hel1"], cx33: ["hel1", "fsn1"], cpx32: ["nbg1"] }));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      severity: "refused",
      name: "app-3",
      happens: "would be created, but Hetzner has no cpx22 or cx33 in nbg1 at the moment",
    });
    expect(finding?.instead).toMatch(
      /^add a type that nbg1 has \(cpx32\) to the server's types; fsn1 and hel1 have it; .*list app-3 in orion:agreed/,
    );
  });

  test("an existing server is advised only what it can get", () => {
    const there = offers({ cx23: ["nbg1"], cpx32: ["nbg1"] });
    const existing = { name: "orion-prod-app-3", type: "cpx42", setting: "orion:app.servers.types" };
    const servers = new Map([[existing.name, { diskGb: 80, architecture: "x86" }]]);
    const [finding] = soldOut([withAbleTypes({ ...app, existing }, servers, there)], there);
    expect(finding?.instead).toMatch(/^add a type that nbg1 has \(cpx32\)/);
  });

  test("a location without any server is said so", () => {
    expect(soldOut([app], offers({ cpx22: [] }))[0]?.instead).toMatch(/^wait until nbg1 has servers again; Hetzner's/);
  });

  test("is a danger when the stack agrees", () => {
    expect(asAgreed(soldOut([app], offers({})), ["app-3"])).toMatchObject([{ severity: "danger", name: "app-3" }]);
  });
});

describe("limits of the account", () => {
  const growth = async () => {
    const { before, after } = await graphsBetween(stackOf("mvp"), stackOf("scale"));
    return changesBetween(before, after);
  };

  test("count what an update adds, by kind", async () => {
    const changes = await growth();
    expect([addedBy(changes, "servers"), addedBy(changes, "volumes"), addedBy(changes, "loadBalancers")]).toEqual([
      4, 1, 1,
    ]);
  });

  test("refuse what goes beyond them, with what to do", async () => {
    const found = beyondLimits(await growth(), { servers: 2, volumes: 1 }, { servers: 5, volumes: 10 });
    expect(found).toMatchObject([
      {
        severity: "refused",
        name: "servers",
        happens: "would be 6, 4 of them new; orion:hetzner.limits.servers says that the account may have 5",
      },
    ]);
    expect(beyondLimits(await growth(), { servers: 1 }, { servers: 5 })).toEqual([]);
  });

  test("concern nobody whose update adds nothing", () => {
    expect(beyondLimits([], { servers: 9 }, { servers: 5 })).toEqual([]);
  });
});
