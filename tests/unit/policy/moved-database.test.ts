/** Clients get another database by a move alone. */
import { modeOf, movedWithoutData, movedWithoutTasks } from "../../../policy/moved-database.ts";
import type { Graph } from "../../../policy/graph.ts";
import { settingsOf } from "../support/settings.ts";
import { sharedGraph } from "../support/graphs.ts";
import { stackOf } from "./support.ts";

const secrets = ["databaseUrl"] as const;
const external = settingsOf("mvp", { database: { mode: "external", movable: true } }, secrets);

test("the database of an existing stack is told by its output, or by its containers", async () => {
  const graph = await sharedGraph(stackOf("mvp"));
  expect(modeOf(graph, undefined)).toBe("provision");
  expect(modeOf(graph, "external")).toBe("external");
  const without: Graph = { ...graph, resources: graph.resources.filter(({ name }) => name !== "database-server") };
  expect(modeOf(without, undefined)).toBe("external");
  expect(modeOf({ resources: [], uses: new Map() }, undefined)).toBeUndefined();
});

test("a plain edit is refused in both directions, what the move has agreed to is not", () => {
  expect(movedWithoutData("provision", external)).toEqual([
    expect.objectContaining({
      severity: "refused",
      name: "database.mode.external",
      instead: expect.stringMatching(/make move-database TO=external/) as unknown,
    }),
  ]);
  expect(movedWithoutData("external", settingsOf("mvp"))).toEqual([
    expect.objectContaining({
      severity: "refused",
      name: "database.mode.provision",
      instead: expect.stringMatching(/TO=own/) as unknown,
    }),
  ]);
  expect(movedWithoutData("provision", { ...external, agreed: ["database.mode.external"] })[0]?.severity).toBe(
    "danger",
  );
  expect(movedWithoutData("provision", { ...external, agreed: ["database.mode.provision"] })[0]?.severity).toBe(
    "refused",
  );
  for (const same of [undefined, "external"] as const) expect(movedWithoutData(same, external)).toEqual([]);
});

test("a broker is drained before Celery gets another one", async () => {
  const graph = await sharedGraph(stackOf("mvp"));
  const redis = settingsOf("mvp", { cache: { mode: "external" } }, ["redisUrl", "brokerUrl"]);
  expect(movedWithoutTasks(graph, settingsOf("mvp"))).toEqual([]);
  expect(movedWithoutTasks(graph, redis)).toEqual([
    expect.objectContaining({
      ...{ severity: "refused", name: "cache.mode.external" },
      instead: expect.stringContaining("no task waits and none is held") as string,
    }),
  ]);
  expect(movedWithoutTasks(graph, { ...redis, agreed: ["cache.mode.external"] })[0]?.severity).toBe("danger");
  const without = { ...graph, resources: graph.resources.filter(({ name }) => !/^(cache|broker)-/.test(name)) };
  expect(movedWithoutTasks(without, redis)).toEqual([]);
  expect(movedWithoutTasks(without, settingsOf("mvp"))).toEqual([
    expect.objectContaining({ name: "cache.mode.provision" }),
  ]);
});
