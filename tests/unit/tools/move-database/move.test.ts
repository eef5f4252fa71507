/** What a move does when a step fails; tests/e2e/move-database.test.ts moves real databases. */
import type { OnEngine } from "../../../../guard/check-image.ts";
import { moveDatabase, type MoveArgs } from "../../../../tools/move-database/move.ts";
import { outcomeOf } from "../../support/process.ts";

const prepared = {
  ...{ version: 150_020, walLevel: "logical", freeSlots: 9, hasSlot: false, mayReplicate: true, ownsDatabase: true },
  ...{ standby: false, largeObjects: 0, withoutKey: [], otherIdentity: [], unlogged: [], extensions: [], offers: [] },
  ...{ prepared: 0, marker: null },
};
const things = { table: "public.things", bytes: 1, key: ["id"], generated: [], identity: [] };

/** What both servers answer, by a part of the question. */
const answers: readonly (readonly [string, string])[] = [
  ["'walLevel'", JSON.stringify({ ...prepared, tables: 0 })],
  ["pg_dump", "100:101:"],
  ["'table', format", JSON.stringify(things)],
  ["confirmed_flush_lsn", "0"],
  ["hashtextextended", "public.things|1|5"],
];

interface Failure {
  /** The container in which, and a part of the script at which it fails. */
  readonly at: string;
  readonly part: string;
}

function servers(...failures: readonly (Failure & { readonly reason: Error | string })[]) {
  const scripts: string[] = [];
  const said: string[] = [];
  const on: OnEngine = (script) => {
    scripts.push(script);
    const failure = failures.find(({ at, part }) => script.includes(` ${at} `) && script.includes(part));
    if (failure?.reason instanceof Error) return Promise.reject(failure.reason);
    if (failure) return Promise.resolve(outcomeOf({ code: 1, stderr: `ERROR:  ${failure.reason}` }));
    const [, stdout = ""] = answers.find(([part]) => script.includes(part)) ?? [];
    return Promise.resolve(outcomeOf({ stdout }));
  };
  const sides = {
    from: { name: "own", container: "source", database: "a" },
    to: { name: "external", container: "target", database: "b" },
  };
  const step = (name: string) => () => {
    scripts.push(` poolers ${name}`);
    return Promise.resolve();
  };
  const poolers = {
    ...{ prepare: step("prepare"), hold: step("hold"), held: step("held"), release: step("release") },
    lead: (to: string) => step(`lead to ${to}`)(),
  };
  const move = (more: Partial<MoveArgs> = {}) =>
    moveDatabase({
      ...{ on, ...sides, replace: false, say: (line: string) => said.push(line), agree: () => Promise.resolve(true) },
      ...more,
    });
  const ran = (at: string, part: string) =>
    scripts.some((script) => script.includes(` ${at} `) && script.includes(part));
  const order = (...parts: readonly string[]) =>
    parts.map((part) => scripts.findLastIndex((script) => script.includes(part)));
  return { move, ran, said, poolers, scripts, order };
}

const readOnly = "SET default_transaction_read_only = on'";
const writable = "RESET default_transaction_read_only";
const dropMarker = "DROP TABLE public.orion_move";
const dropSlot = "pg_drop_replication_slot";

test("nothing fails: the source is marked as left, and takes no writes", async () => {
  const { move, ran } = servers();
  expect(await move()).toMatchObject({ tables: 1, rows: 1 });
  expect(ran("source", readOnly)).toBe(true);
  expect(ran("source", "VALUES ('left')")).toBe(true);
  expect(ran("target", dropMarker)).toBe(true);
  expect(ran("source", writable)).toBe(false);
  expect(ran("source", dropSlot)).toBe(true);
});

test("poolers are held before the source refuses writes, and lead to the target once it is complete", async () => {
  const { move, poolers, order } = servers();
  await move({ poolers });
  const steps = order("prepare", "hold", readOnly, "held", "ENABLE TRIGGER", "lead to target", "release", dropMarker);
  expect(steps).toEqual(steps.toSorted((one, other) => one - other));
  expect(steps).not.toContain(-1);
  expect(order("lead to source")).toEqual([-1]);
});

test("after a failure poolers lead to the source, which takes writes again, before they let anything through", async () => {
  const { move, poolers, order } = servers({ at: "target", part: "hashtextextended", reason: "out of memory" });
  await expect(move({ poolers })).rejects.toThrow("out of memory");
  const steps = order("hold", readOnly, writable, "lead to source", "release");
  expect(steps).toEqual(steps.toSorted((one, other) => one - other));
  expect(steps).not.toContain(-1);
});

test("a source that cannot be marked takes writes again, and the target stays one that may be replaced", async () => {
  const { move, ran, said } = servers({ at: "source", part: "VALUES ('left')", reason: "permission denied" });
  await expect(move()).rejects.toThrow("permission denied");
  expect(ran("source", writable)).toBe(true);
  expect(said.at(-1)).toBe("  own takes writes again");
  expect(ran("target", dropMarker)).toBe(false);
  expect(ran("source", dropSlot)).toBe(true);
});

test("a source that goes on refusing writes is named, and the reason of the failure stays", async () => {
  const { move, said } = servers(
    { at: "target", part: "hashtextextended", reason: "out of memory" },
    { at: "source", part: writable, reason: "the database system is shutting down" },
  );
  await expect(move()).rejects.toThrow("out of memory");
  expect(said.at(-1)).toMatch(/^ {2}own still refuses writes\. .*ALTER DATABASE.*shutting down$/);
});

test("a copy that cannot be started leaves nothing that runs", async () => {
  jest.useFakeTimers();
  try {
    const { move, ran } = servers({ at: "source", part: "pg_dump", reason: new Error("no such program") });
    await expect(move()).rejects.toThrow("no such program");
    expect(jest.getTimerCount()).toBe(0);
    expect(ran("source", dropSlot)).toBe(true);
  } finally {
    jest.useRealTimers();
  }
});
