/** The rules that protect data, on graphs of a few resources. */
import { type Graph, keyOf, type Recorded, type RecordedOptions } from "../../../policy/graph.ts";
import { brokenRules } from "../../../policy/rules.ts";
import { types } from "../../../policy/stateful.ts";

const resource = (
  type: string,
  inputs: Readonly<Record<string, unknown>> = {},
  options: RecordedOptions = {},
): Recorded => ({ type, name: "one", inputs, options });

const graphOf = (...resources: readonly Recorded[]): Graph => ({
  resources,
  uses: new Map(resources.map((one) => [keyOf(one), {}])),
});

/** What is wrong with a resource, without its key. @param others beside it */
const wrong = (one: Recorded, ...others: readonly Recorded[]): string[] =>
  brokenRules(graphOf(one, ...others))
    .filter((text) => text.startsWith(`${keyOf(one)}: `))
    .map((text) => text.slice(keyOf(one).length + 2));

const server = resource(
  types.server,
  { deleteProtection: true },
  { protect: true, ignoreChanges: ["image", "userData", "sshKeys", "location"] },
);

test("a graph without resources breaks no rule", () => {
  expect(brokenRules(graphOf())).toEqual([]);
});

test("a Volume is protected by the engine and by Hetzner, and stays when its resource is deleted", () => {
  const options = { protect: true, retainOnDelete: true } as const;
  expect(wrong(resource(types.volume, { deleteProtection: true }, options))).toEqual([]);
  expect(wrong(resource(types.volume))).toEqual([
    "holds data and is not protected",
    "deleteProtection is off",
    "would be deleted with its resource: retainOnDelete is missing",
  ]);
  // Only true counts, not what looks like it.
  expect(wrong(resource(types.volume, { deleteProtection: "true" }, options))).toEqual(["deleteProtection is off"]);
});

test("a bucket has no protection at its provider", () => {
  expect(wrong(resource(types.bucket, {}, { protect: true }))).toEqual([
    "would be deleted with its resource: retainOnDelete is missing",
  ]);
});

test("no change of a server's image, keys, first boot or location replaces it", () => {
  expect(wrong(server)).toEqual([]);
  const ignoreChanges = ["image", "userData", "location"];
  expect(wrong({ ...server, options: { ...server.options, ignoreChanges } })).toEqual([
    "a change of sshKeys would replace the server",
  ]);
});

test("a server without data need not be protected, the server of a Volume does", () => {
  const { ignoreChanges = [] } = server.options;
  const bare = resource(types.server, {}, { ignoreChanges });
  expect(wrong(bare)).toEqual([]);
  const attachment = resource(types.attachment, {}, { deletedWith: keyOf(bare) });
  expect(wrong(bare, attachment)).toEqual(["holds data and is not protected", "deleteProtection is off"]);
  // It goes with its server alone.
  expect(wrong(attachment, bare)).toEqual([]);
});

const labels = (role: string) => [{ label: "role", value: role }];

test("a volume of a cache may be left out of the stack when it is kept; that of a database is protected", () => {
  const kept = (role: string) => resource(types.dockerVolume, { labels: labels(role) }, { retainOnDelete: true });
  expect(wrong(kept("cache"))).toEqual([]);
  expect(wrong(kept("database"))).toEqual(["holds data and is not protected"]);
  expect(wrong(resource(types.dockerVolume, { labels: labels("cache") }))).toEqual(["holds data and is not protected"]);
  // The program writes these files again.
  expect(wrong(resource(types.dockerVolume, { labels: labels("files") }))).toEqual([]);
  expect(wrong(resource(types.dockerVolume, { labels: labels("edge") }))).toEqual([]);
});

test.each([undefined, 0, "0", "", "soon"])("a container that has %j seconds to stop is killed at once", (seconds) => {
  expect(wrong(resource(types.container, { destroyGraceSeconds: seconds }))).toEqual([
    "would be killed at once: destroyGraceSeconds is missing",
  ]);
});

test("what Docker has on a server goes with the server, and on this machine with nothing", () => {
  const container = resource(types.container, { destroyGraceSeconds: 10 });
  expect(wrong(container)).toEqual([]);
  expect(wrong(container, server)).toEqual([
    "would be deleted by a call to a server that may be gone: deletedWith is missing",
  ]);
  expect(wrong({ ...container, options: { deletedWith: keyOf(server) } }, server)).toEqual([]);
});

test("a component is no resource that holds anything", () => {
  expect(brokenRules({ resources: [resource(types.volume)], uses: new Map() })).toEqual([]);
});
