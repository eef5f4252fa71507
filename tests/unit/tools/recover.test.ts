import { isRunningEngine, lockIsAlive, orphansOf } from "../../../tools/recover.ts";

const operation = (type: string, resourceType: string, name?: string) => ({
  type,
  resource: { urn: "urn", type: resourceType, inputs: name === undefined ? {} : { name } },
});

test("orphans are containers and networks that were being made; never a volume", () => {
  const pending_operations = [
    operation("creating", "docker:index/container:Container", "orion-dev-app-1"),
    operation("creating", "docker:index/network:Network", "orion-dev-network"),
    operation("creating", "docker:index/volume:Volume", "orion-dev-database-data"),
    operation("deleting", "docker:index/container:Container", "orion-dev-cache"),
    operation("creating", "docker:index/container:Container"),
  ];
  expect(orphansOf({ resources: [], pending_operations })).toEqual([
    { kind: "container", name: "orion-dev-app-1" },
    { kind: "network", name: "orion-dev-network" },
  ]);
});

describe("a lock", () => {
  const lock = { pid: 4711, username: "me", hostname: "here", timestamp: "2026-11-24T12:00:00Z" };

  test("of another machine may be alive: nothing can be known", () => {
    expect(lockIsAlive(lock, "there", () => false)).toBe(true);
  });

  test("of this machine is as alive as its process", () => {
    expect(lockIsAlive(lock, "here", (pid) => pid === 4711)).toBe(true);
    expect(lockIsAlive(lock, "here", () => false)).toBe(false);
  });

  test.each([
    ["4711 (pulumi) S 1 4711 4711 0", true],
    ["4711 (pulumi) Z 1 4711 4711 0", false],
    ["4711 (postgres) S 1 4711 4711 0", false],
    ["", false],
  ])("whose process is %j runs: %s", (stat, runs) => {
    expect(isRunningEngine(stat)).toBe(runs);
  });
});
