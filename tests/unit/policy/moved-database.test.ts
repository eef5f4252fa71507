/** Clients get another database or broker by a move alone. */
import { moveBetween } from "../../../policy/dangers.ts";
import type { Finding } from "../../../policy/findings.ts";
import { movedWithoutData, movedWithoutTasks } from "../../../policy/moved-database.ts";
import { graphOf } from "../../../policy/state.ts";
import { sharedGraph } from "../support/graphs.ts";
import { graphsBetween, stackOf, stateOf, titles } from "./support.ts";

const own = stackOf("mvp", { database: { movable: true } });
const external = stackOf("mvp", { database: { mode: "external", movable: true } }, ["databaseUrl"]);
const redis = stackOf("mvp", { cache: { mode: "external" } }, ["redisUrl", "brokerUrl"]);

const withMove = expect.stringMatching(/^set orion:database\.mode back to .*make move-database TO=/) as unknown;

test.each([
  ["own to external", own, external, "external"],
  ["external to own", external, own, "provision"],
])("two files are told that data does not follow from %s, until the stack agrees", async (_way, from, to, is) => {
  const { before, after } = await graphsBetween(from, to);
  const ofData = (findings: readonly Finding[]) => findings.filter(({ name }) => name.startsWith("database.mode"));
  expect(ofData(moveBetween(before, after).findings)).toEqual([
    expect.objectContaining({ severity: "refused", name: `database.mode.${is}`, instead: withMove }),
  ]);
  const [agreed] = ofData(moveBetween(before, after, { agreed: [`database.mode.${is}`] }).findings);
  expect(agreed?.severity).toBe("danger");
  const [other] = ofData(moveBetween(before, after, { agreed: ["database.mode.other"] }).findings);
  expect(other?.severity).toBe("refused");
  expect(movedWithoutData(after, after)).toEqual([]);
});

test("a state is told the same, with the same words", async () => {
  for (const [from, to] of [[own, external] as const, [external, own] as const, [stackOf("mvp"), redis] as const]) {
    const isMoved = ({ name }: Finding) => /^(database|cache)\.mode\./.test(name);
    const { before, after } = await graphsBetween(from, to);
    const ofFiles = moveBetween(before, after).findings.filter(isMoved);
    expect(ofFiles).toHaveLength(1);
    const ofState = moveBetween(graphOf(await stateOf(from)), await sharedGraph(to, "known")).findings.filter(isMoved);
    expect(ofState).toEqual(ofFiles);
  }
});

test("a broker is drained before Celery gets another one", async () => {
  const { before, after } = await graphsBetween(stackOf("mvp"), redis);
  const refused = moveBetween(before, after).findings.filter(({ severity }) => severity === "refused");
  expect(refused).toEqual([
    expect.objectContaining({
      name: "cache.mode.external",
      instead: expect.stringContaining("no task waits and none is held") as string,
    }),
  ]);
  expect(titles(moveBetween(before, after, { agreed: ["cache.mode.external"] }))).toContain(
    "danger cache.mode.external",
  );
  expect(titles({ findings: movedWithoutTasks(after, before) })).toEqual(["refused cache.mode.provision"]);
  const withoutWorkers = { ...before, resources: before.resources.filter(({ name }) => !name.startsWith("worker")) };
  expect(movedWithoutTasks(withoutWorkers, after)).toEqual([]);
});
