import type { EngineChange } from "../../../../tools/engine-preview.ts";
import { byGroup, driftOf, wordsOf } from "../../../../tools/drift/findings.ts";
import { knownNoise, noiseOf } from "../../../../tools/drift/noise.ts";

const change = (action: EngineChange["action"], type: string, name: string, ...inputs: string[]): EngineChange => ({
  ...{ action, type, name, group: "core-1", inputs },
});
const container = "docker:index/container:Container";
const firewall = "hcloud:index/firewall:Firewall";

test("what an update would change anyway waits; only the rest has drifted", () => {
  const stated = [change("update", firewall, "edge", "labels"), change("create", container, "app-3")];
  const real = [
    change("update", firewall, "edge", "labels", "rules"),
    change("create", container, "app-3"),
    change("create", container, "app-1"),
  ];
  const drift = driftOf(real, stated);
  expect(drift.drifted.map(wordsOf)).toEqual([
    "Firewall edge differs in rules",
    "Container app-1 does not exist any more",
  ]);
  expect(drift.waiting).toEqual(stated);
  expect(driftOf(stated, stated).drifted).toEqual([]);
});

test("what only follows is told apart; without a cause it has drifted itself", () => {
  const limits = change("update", "orion:index:ContainerLimits", "app-1-limits");
  const cause = change("create", container, "app-1");
  expect(driftOf([cause, limits], [])).toMatchObject({ drifted: [cause], followed: [limits] });
  expect(driftOf([limits], [])).toMatchObject({ drifted: [limits], followed: [] });
});

test("known noise is no drift and keeps its reason; every other change of the type is drift", () => {
  const image = "docker:index/remoteImage:RemoteImage";
  const drift = driftOf([change("create", image, "app"), change("replace", image, "web", "name")], []);
  expect(drift.drifted.map(({ name }) => name)).toEqual(["web"]);
  expect(drift.noise).toEqual([
    { change: change("create", image, "app"), why: expect.stringContaining("next update pulls") as string },
  ]);
  const narrow = [{ type: firewall, action: "update" as const, inputs: ["labels"], why: "a test" }];
  expect(noiseOf(change("update", firewall, "edge", "labels"), narrow)?.why).toBe("a test");
  expect(noiseOf(change("update", firewall, "edge", "labels", "rules"), narrow)).toBeUndefined();
  expect(noiseOf(change("update", firewall, "edge"), narrow)).toBeUndefined();
});

test("nothing that holds data, and no rule of a firewall, a zone or an address, is noise", () => {
  for (const { type } of knownNoise) expect(type).not.toMatch(/firewall|ruleset|dns|volume|bucket|network|server/i);
});

test.each([
  [change("replace", container, "database-server", "mustRun", "ports"), "Container database-server does not run"],
  [change("replace", container, "app-1", "image"), "Container app-1 differs in image, and an update would replace it"],
  [change("delete", firewall, "old"), "Firewall old is still there and belongs to nothing"],
  [
    { ...change("create", "hcloud:index/volume:Volume", "core-1-volume"), holds: "the data of its server" },
    "Volume core-1-volume does not exist any more. It is the data of its server",
  ],
])("in words: %#", (one, words) => {
  expect(wordsOf(one)).toBe(words);
});

test("by server, in the order of their names", () => {
  const groups = byGroup([{ ...change("create", container, "b"), group: "db-2" }, change("create", container, "a")]);
  expect(groups.map(([group]) => group)).toEqual(["core-1", "db-2"]);
});
