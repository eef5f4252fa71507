/** Identities of resources and comparison of their values. */
import {
  differs,
  type Graph,
  identitiesOf,
  identityOf,
  madeIn,
  type Recorded,
  unknown,
} from "../../../policy/graph.ts";

const resource = (type: string, name: string, options: Recorded["options"] = {}): Recorded => ({
  ...{ type, name, options, inputs: {} },
});
const graphOf = (...resources: readonly Recorded[]): Graph => ({ resources, uses: new Map() });

test.each([
  [1, "1", false],
  [true, "true", false],
  ["", undefined, true],
  [null, undefined, true],
  [0, false, true],
  [[1, 2], ["1", "2"], false],
  [[1, 2], [2, 1], true],
  [[1], [1, 2], true],
  [{ a: 1, b: 2 }, { b: "2", a: 1 }, false],
  [{ a: 1 }, { a: 1, b: undefined }, false],
  [{ a: 1 }, { a: 1, b: 2 }, true],
  [[], {}, true],
  ["text", unknown, false],
  [{ a: unknown }, { a: [1] }, false],
  [{ "[secret]": "p" }, "p", false],
  [{ "[secret]": "p" }, { "[secret]": "q" }, true],
  [{ "[secret]": unknown }, { "[secret]": "q" }, false],
])("%j and %j differ: %s", (before, after, expected) => {
  expect(differs(before, after)).toBe(expected);
  expect(differs(after, before)).toBe(expected);
});

test("an identity is the name and the types of all parents", () => {
  const platform = resource("orion:index:Platform", "orion");
  const fleet = resource("orion:fleet:Fleet", "fleet", { parent: "orion:index:Platform orion" });
  const server = resource("hcloud:index/server:Server", "core-1-server", { parent: "orion:fleet:Fleet fleet" });
  const identity = identityOf(graphOf(platform, fleet, server));
  expect(identity(platform)).toBe("orion:index:Platform::orion");
  expect(identity(server)).toBe("orion:index:Platform$orion:fleet:Fleet$hcloud:index/server:Server::core-1-server");
  // A parent that is not in the graph counts for nothing, as for a resource at the top.
  expect(identityOf(graphOf(server))(server)).toBe("hcloud:index/server:Server::core-1-server");
});

test("former identities combine a resource's own aliases with those of its parents", () => {
  const parent = resource("a:b:New", "web", { aliases: ["site", "a:b:Old page"] });
  const child = resource("c:d:Thing", "web-key", { parent: "a:b:New web", aliases: ["key"] });
  expect(identitiesOf(graphOf(parent, child))(child)).toEqual([
    // A child that is named after its parent has followed the parent's names.
    "a:b:New$c:d:Thing::web-key",
    "a:b:New$c:d:Thing::site-key",
    "a:b:Old$c:d:Thing::page-key",
    "a:b:New$c:d:Thing::key",
    "a:b:Old$c:d:Thing::key",
  ]);
});

test("an alias of another type keeps the parents", () => {
  const one = resource("c:d:Thing", "key", { aliases: ["c:d:Former key"] });
  expect(identitiesOf(graphOf(one))(one)).toEqual(["c:d:Thing::key", "c:d:Former::key"]);
});

test("components, providers and parts of other resources are not made by a provider", () => {
  const all = [
    resource("hcloud:index/server:Server", "one"),
    resource("orion:index:ContainerLimits", "two"),
    resource("pulumi:providers:hcloud", "three"),
  ];
  const component = resource("orion:index:Platform", "four");
  const uses = new Map(all.map(({ type, name }) => [`${type} ${name}`, {}]));
  expect(madeIn({ resources: [...all, component], uses }).map(({ name }) => name)).toEqual(["one"]);
  expect(madeIn(graphOf())).toEqual([]);
});
