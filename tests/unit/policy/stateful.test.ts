/** What would be lost with a resource. */
import { type Graph, keyOf, type Recorded, type RecordedOptions } from "../../../policy/graph.ts";
import { coreOf, holdingIn, isGuarded, labelOf, sessionKey, types } from "../../../policy/stateful.ts";

const resource = (
  type: string,
  name: string,
  options: RecordedOptions = {},
  inputs: Readonly<Record<string, unknown>> = {},
): Recorded => ({ type, name, inputs, options });
const graphOf = (...resources: readonly Recorded[]): Graph => ({ resources, uses: new Map() });
const held = (one: Recorded, ...others: readonly Recorded[]): string | undefined =>
  holdingIn(graphOf(one, ...others))(one);

const core = resource(types.server, "core-1-server", {}, { labels: { role: "core" } });
const attached = resource(types.attachment, "core-1-attachment", { deletedWith: keyOf(core) });

test("the server of a Volume holds data, with its addresses and its connection", () => {
  const ofServer = { deletedWith: keyOf(core) };
  expect(held(core, attached)).toBe("the server of a Volume with data");
  expect(held(attached)).toBe("the connection of a server to its data");
  expect(held(resource(types.serverNetwork, "core-1-network", ofServer), attached)).toContain("private address");
  expect(held(resource(types.primaryIp, "core-1-ip"), attached)).toContain("public address");
});

test("a server without a Volume holds none, and its address only what is protected", () => {
  expect(held(core)).toBeUndefined();
  const ofServer = { deletedWith: "hcloud:index/server:Server app-nbg1-1-server" };
  expect(held(resource(types.serverNetwork, "app-nbg1-1-network", ofServer), attached)).toBeUndefined();
  expect(held(resource(types.serverNetwork, "app-nbg1-1-network"), attached)).toBeUndefined();
  expect(held(resource(types.primaryIp, "app-nbg1-1-ip"), attached)).toBeUndefined();
  expect(held(resource(types.primaryIp, "app-nbg1-1-ip", { protect: true }))).toContain("public address");
});

const databaseKey = "orion:database:Database database";
const password = resource(types.password, "database-password", { parent: databaseKey });
const container = (role: string) =>
  resource(types.container, `${role}-server`, { parent: databaseKey }, { labels: [{ label: "role", value: role }] });

test("a database's password opens the data, unless the database keeps none", () => {
  expect(held(password)).toBe("the password that opens the data");
  expect(held(password, container("database"))).toBe("the password that opens the data");
  expect(held(password, container("test-database"))).toBeUndefined();
  expect(held(resource(types.password, "broker-password", { parent: "orion:cache:Cache broker" }))).toBeUndefined();
});

test("the key that signs sessions is kept on servers only", () => {
  const key = resource(types.password, sessionKey);
  expect(held(key)).toBeUndefined();
  expect(held(key, core)).toBe("the key that signs all sessions");
});

test.each([
  ["database", "the data of a container"],
  ["cache", "the data of a container"],
  // Not in the catalogue: better too much than too little.
  ["unknown", "the data of a container"],
  ["", "the data of a container"],
  ["files", undefined],
  ["sentinel", undefined],
])("a volume of Docker with the role '%s'", (role, what) => {
  expect(held(resource(types.dockerVolume, "one", {}, { labels: [{ label: "role", value: role }] }))).toBe(what);
});

test("of any other type, what is protected holds something", () => {
  expect(held(resource("other:index:Thing", "one"))).toBeUndefined();
  expect(held(resource("other:index:Thing", "one", { protect: true }))).toBe("a protected resource");
});

test.each([
  [{ role: "core" }, "core"],
  [{ role: 7 }, ""],
  [
    [
      { label: "stack", value: "prod" },
      { label: "role", value: "core" },
    ],
    "core",
  ],
  [[], ""],
  [undefined, ""],
  ["core", ""],
])("the role in the labels %j is '%s'", (labels, role) => {
  expect(labelOf(resource(types.server, "one", {}, { labels }), "role")).toBe(role);
});

test("the server with the primary is found by its role, whatever its name", () => {
  const promoted = resource(types.server, "db-2-server", {}, { labels: { role: "core" } });
  expect(coreOf(graphOf(resource(types.server, "app-nbg1-1-server", {}, { labels: { role: "app" } }), promoted))).toBe(
    "db-2",
  );
  expect(coreOf(graphOf(container("core")))).toBeUndefined();
  expect(isGuarded(graphOf(core))).toBe(false);
  expect(isGuarded(graphOf(core, { ...attached, options: { protect: true } }))).toBe(true);
});
