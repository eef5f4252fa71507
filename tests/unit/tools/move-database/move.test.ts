/** What a move does when a step fails; tests/e2e/move-database.test.ts moves real databases. */
import type { OnEngine } from "../../../../guard/check-image.ts";
import { moveDatabase, type MoveArgs } from "../../../../tools/move-database/move.ts";
import { outcomeOf } from "../../support/process.ts";

const prepared = {
  ...{ version: 150_020, walLevel: "logical", freeSlots: 9, hasSlot: false, mayReplicate: true, ownsDatabase: true },
  ...{ standby: false, largeObjects: 0, withoutKey: [], otherIdentity: [], unlogged: [], extensions: [], offers: [] },
  ...{ prepared: 0, marker: null, database: "shop", readOnly: false, unstoppable: [] },
};
const things = { table: "public.things", bytes: 1, key: ["id"], generated: [], identity: [] };

/** What both servers answer, by a part of the question. */
const answers: readonly (readonly [string, string])[] = [
  ["pg_dump", "100:101:"],
  ["'table', format", JSON.stringify(things)],
  ["confirmed_flush_lsn", "0"],
  ["hashtextextended", "public.things|1|5"],
];

interface Failure {
  /** The container in which, and a part of the script at which it fails. */
  readonly at: string;
  readonly part: string;
  /** Only from this script on. @default - from the first on */
  readonly after?: string;
}

function servers(...failures: readonly (Failure & { readonly reason: Error | string })[]) {
  const scripts: string[] = [];
  const said: string[] = [];
  const marks: Record<string, string> = {};
  const about: Record<string, object> = {};
  const on: OnEngine = (script) => {
    scripts.push(script);
    const [, server = ""] = / (source|target) /.exec(script) ?? [];
    const failure = failures.find(
      ({ at, part, after = "" }) =>
        at === server && script.includes(part) && scripts.some((one) => one.includes(after)),
    );
    if (failure?.reason instanceof Error) return Promise.reject(failure.reason);
    if (failure) return Promise.resolve(outcomeOf({ code: 1, stderr: `ERROR:  ${failure.reason}` }));
    const [, mark] = /VALUES \('(\w+)'\)/.exec(script) ?? [];
    if (mark !== undefined) marks[server] = mark;
    if (script.includes("'walLevel'"))
      return Promise.resolve(outcomeOf({ stdout: JSON.stringify({ ...prepared, tables: 0, ...about[server] }) }));
    const [, stdout = ""] = answers.find(([part]) => script.includes(part)) ?? [];
    return Promise.resolve(outcomeOf({ stdout }));
  };
  const endpoints = {
    from: { name: "own", container: "source", database: "a" },
    to: { name: "external", container: "target", database: "b" },
  };
  const step = (name: string) => () => {
    scripts.push(` poolers ${name}`);
    return Promise.resolve();
  };
  const poolers = {
    ...{ prepare: step("prepare"), pause: step("pause"), paused: step("all-quiet") },
    ...{ switchToTarget: step("switch"), resume: step("resume") },
  };
  const move = (more: Partial<MoveArgs> = {}) =>
    moveDatabase({
      ...{ on, ...endpoints, replace: false, agree: () => Promise.resolve(true) },
      say: (line: string) => said.push(line),
      ...more,
    });
  const ran = (at: string, part: string) =>
    scripts.some((script) => script.includes(` ${at} `) && script.includes(part));
  const answered = (server: "source" | "target", facts: object) => {
    about[server] = facts;
  };
  const order = (...parts: readonly string[]) =>
    parts.map((part) => scripts.findLastIndex((script) => script.includes(part)));
  return { move, ran, said, poolers, scripts, order, marks, answered };
}

const readOnly = "SET default_transaction_read_only = on'";
const writable = "RESET default_transaction_read_only";
const moved = "VALUES ('moved')";
const dropSlot = "pg_drop_replication_slot";

test("nothing fails: the source is marked as left, and takes no writes", async () => {
  const { move, ran, marks } = servers();
  expect(await move()).toMatchObject({ tables: 1, rows: 1 });
  expect(ran("source", readOnly)).toBe(true);
  expect(marks).toEqual({ source: "left", target: "moved" });
  expect(ran("source", writable)).toBe(false);
  expect(ran("source", dropSlot)).toBe(true);
});

test("poolers are paused before the source refuses writes, and lead to the target once it is complete", async () => {
  const { move, poolers, order } = servers();
  await move({ poolers });
  const steps = order("prepare", "pause", readOnly, "all-quiet", "ENABLE TRIGGER", moved, "switch", "resume");
  expect(steps).toEqual(steps.toSorted((one, other) => one - other));
  expect(steps).not.toContain(-1);
});

test("after a failure the source takes writes again before poolers, which still lead there, let anything through", async () => {
  const { move, poolers, order } = servers({ at: "target", part: "hashtextextended", reason: "out of memory" });
  await expect(move({ poolers })).rejects.toThrow("out of memory");
  const steps = order("pause", readOnly, writable, "resume");
  expect(order("switch")).toEqual([-1]);
  expect(steps).toEqual(steps.toSorted((one, other) => one - other));
  expect(steps).not.toContain(-1);
});

test("a source that cannot be marked takes writes again, and the target stays one that may be replaced", async () => {
  const { move, ran, said, marks } = servers({ at: "source", part: "VALUES ('left')", reason: "permission denied" });
  await expect(move()).rejects.toThrow("permission denied");
  expect(ran("source", writable)).toBe(true);
  expect(said.at(-1)).toBe("  own takes writes again");
  expect(marks).toEqual({ target: "copying" });
  expect(ran("source", dropSlot)).toBe(true);
});

test("a source that goes on refusing writes is named, and the reason of the failure stays", async () => {
  const { move, said } = servers(
    { at: "target", part: "hashtextextended", reason: "out of memory" },
    { at: "source", part: writable, reason: "the database system is shutting down" },
  );
  await expect(move()).rejects.toThrow("out of memory");
  expect(said.at(-1)).toMatch(/^ {2}own still refuses writes\. .*: SET .*; ALTER DATABASE shop RESET.*shutting down$/);
});

test("once a pooler leads to the target nothing is taken back: the update that follows leads the others there", async () => {
  const { move, poolers, ran, marks, said, scripts } = servers();
  const switchToTarget = jest.fn(() => Promise.reject(new Error("The pooler two did not take it")));
  await expect(move({ poolers: { ...poolers, switchToTarget } })).resolves.toMatchObject({ rows: 1 });
  expect(switchToTarget).toHaveBeenCalledTimes(3);
  expect(said).toContainEqual(expect.stringContaining("The update that follows leads it there"));
  expect(ran("source", writable)).toBe(false);
  expect(marks).toEqual({ source: "left", target: "moved" });
  expect(scripts).toContain(" poolers resume");
});

test("when nobody knows whether the target is complete, it is marked as incomplete before the source takes writes", async () => {
  const lost = { at: "target", part: moved, reason: "server closed the connection unexpectedly" };
  const { move, ran, order } = servers(lost);
  await expect(move()).rejects.toThrow("server closed");
  const steps = order(moved, "VALUES ('copying')", writable);
  expect(steps).toEqual(steps.toSorted((one, other) => one - other));
  expect(ran("source", writable)).toBe(true);
});

test("a source whose target may be complete goes on refusing writes, and the next run finds out", async () => {
  const { move, ran, said } = servers({ at: "target", part: "VALUES ('", reason: "no route to host", after: moved });
  await expect(move()).rejects.toThrow("no route to host");
  expect(ran("source", writable)).toBe(false);
  expect(said.at(-1)).toMatch(/^ {2}own still refuses writes\. Run the same command again/);
});

test("a move that was complete and cut off before its update is not made again", async () => {
  const { move, ran, said, answered } = servers();
  answered("source", { readOnly: true, hasSlot: true, marker: "left" });
  answered("target", { marker: "moved", tables: 3 });
  expect(await move()).toBe("before");
  expect(said).toEqual([expect.stringContaining("external is complete since an earlier move")]);
  expect(ran("source", dropSlot)).toBe(true);
  expect(ran("target", "VALUES ('copying')")).toBe(false);
});

test("an interruption ends the move before the target is complete, and the source takes writes again", async () => {
  const { move, ran, marks } = servers();
  const controller = new AbortController();
  const paused = () => {
    controller.abort(new Error("interrupted"));
    return Promise.resolve();
  };
  const poolers = { ...servers().poolers, paused };
  await expect(move({ poolers, signal: controller.signal })).rejects.toThrow("interrupted");
  expect(ran("source", writable)).toBe(true);
  expect(marks["target"]).toBe("copying");
});

test("a copy that cannot be started leaves nothing that runs", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const { move, ran } = servers({ at: "source", part: "pg_dump", reason: new Error("no such program") });
  await expect(move()).rejects.toThrow("no such program");
  expect(timers()).toBe(before);
  expect(ran("source", dropSlot)).toBe(true);
});
