/** What stands against a move of a database. */
import { type Preparation, problemsOf, wasMoved } from "../../../../tools/move-database/preparation.ts";

const source: Preparation = {
  ...{ version: 150_020, walLevel: "logical", freeSlots: 9, hasSlot: false, mayReplicate: true, ownsDatabase: true },
  ...{ standby: false, largeObjects: 0, withoutKey: [], otherIdentity: [], unlogged: [], tables: 3 },
  ...{ database: "shop", readOnly: false, unstoppable: [] },
  ...{ extensions: ["pg_trgm"], offers: ["pg_trgm", "plpgsql"], prepared: 0, marker: null },
};
const target: Preparation = { ...source, tables: 0, walLevel: "replica", mayReplicate: false };
const said = (of: Partial<Preparation>, to: Partial<Preparation> = {}, replace = false) =>
  problemsOf({ source: { ...source, ...of }, target: { ...target, ...to } }, replace);

test("two servers that fit", () => {
  expect(said({})).toEqual([]);
  expect(said({}, { version: 170_001 })).toEqual([]);
  expect(said({}, { tables: 3, marker: "left" }, true)).toEqual([]);
});

test.each<[string, Partial<Preparation>, Partial<Preparation>, RegExp]>([
  ["wal_level", { walLevel: "replica" }, {}, /wal_level is replica.*orion:database\.movable true/],
  ["rights", { mayReplicate: false }, {}, /REPLICATION/],
  ["owner", { ownsDatabase: false }, {}, /cannot stop its writes/],
  ["another move", { hasSlot: true, freeSlots: 0 }, {}, /another move runs/],
  ["slots", { freeSlots: 0 }, {}, /max_replication_slots/],
  ["standby", { standby: true }, {}, /the source is a standby/],
  ["standby as a target", {}, { standby: true }, /the target is a standby/],
  ["prepared", { prepared: 1 }, {}, /1 prepared transactions/],
  ["large objects", { largeObjects: 2 }, {}, /2 large objects/],
  ["key", { withoutKey: ["public.a"] }, {}, /public\.a has no primary key/],
  ["identity", { otherIdentity: ["public.a"] }, {}, /REPLICA IDENTITY DEFAULT/],
  ["unlogged", { unlogged: ["public.a"] }, {}, /public\.a is unlogged/],
  ["version", { version: 160_001 }, {}, /the target 15 is older/],
  ["extension", {}, { offers: null }, /does not have the extension pg_trgm/],
  ["contents", {}, { tables: 4 }, /the target has 4 tables and views of its own/],
  ["what was left", {}, { tables: 4, marker: "left" }, /REPLACE=1/],
  ["what was begun", {}, { tables: 4, marker: "copying" }, /REPLACE=1/],
  ["what may have been written to", {}, { tables: 4, marker: "moved" }, /Replacing the target loses those writes/],
  [
    "a move that was cut off",
    { readOnly: true },
    {},
    /SET default_transaction_read_only = off; ALTER DATABASE shop RESET default_transaction_read_only$/,
  ],
  [
    "a target that cannot be made writable",
    {},
    { readOnly: true, ownsDatabase: false },
    /does not own the database: SET/,
  ],
  ["another role's sessions", { unstoppable: ["report"] }, {}, /report is connected and may write.*pg_signal_backend/],
])("%s", (_, of, to, expected) => {
  expect(said(of, to)).toEqual([expect.stringMatching(expected)]);
});

test("what clients may have written to is not replaced by any means", () => {
  expect(said({}, { tables: 4, marker: "moved" }, true)).toEqual([expect.stringContaining("loses those writes")]);
});

test("a complete move that was cut off is found by a source that still refuses writes", () => {
  const moved = { ...target, marker: "moved" as const };
  expect(wasMoved({ source: { ...source, readOnly: true }, target: moved })).toBe(true);
  expect(wasMoved({ source, target: moved })).toBe(false);
  expect(wasMoved({ source: { ...source, readOnly: true }, target: { ...target, marker: "copying" } })).toBe(false);
});
