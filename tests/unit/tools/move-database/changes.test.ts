/** What is read of PostgreSQL's decoded changes, and the SQL that makes them elsewhere. */
import {
  isInCopy,
  readRows,
  readSnapshot,
  statementOf,
  statementsOf,
  type Tables,
} from "../../../../tools/move-database/changes.ts";

const tables: Tables = new Map([
  ["public.orders", { key: ["id"], generated: ["double"], identity: ["id"] }],
  ['shop."Order x"', { key: ['"Key a"', "b"], generated: [], identity: [] }],
]);
const of = (data: string) => statementOf(data, tables);

test.each<[string, string, string | undefined]>([
  ["the beginning of a transaction", "BEGIN", undefined],
  ["its end", "COMMIT 745", undefined],
  [
    "an insert of every kind of value",
    String.raw`table public.orders: INSERT: id[bigint]:1 name[character varying]:'it''s [a]: "b" new-tuple: x' tags[text[]]:'{a,"b c"}' ok[boolean]:true no[text]:null bits[bit(3)]:B'101' raw[bytea]:'\x00' f[double precision]:NaN at[timestamp with time zone]:'2026-11-29 12:00:00+00' double[numeric]:2`,
    String.raw`INSERT INTO public.orders (id, name, tags, ok, no, bits, raw, f, at) OVERRIDING SYSTEM VALUE VALUES ('1', 'it''s [a]: "b" new-tuple: x', '{a,"b c"}', 'true', NULL, B'101', '\x00', 'NaN', '2026-11-29 12:00:00+00');`,
  ],
  [
    "a value of several lines",
    "table public.orders: INSERT: id[bigint]:1 name[text]:'a\nb'",
    "INSERT INTO public.orders (id, name) OVERRIDING SYSTEM VALUE VALUES ('1', 'a\nb');",
  ],
  [
    "an update that leaves a long value alone",
    "table public.orders: UPDATE: id[bigint]:1 name[text]:unchanged-toast-datum paid[boolean]:false double[numeric]:4",
    "UPDATE public.orders SET paid = 'false' WHERE id = '1';",
  ],
  [
    "an update of nothing else",
    "table public.orders: UPDATE: id[bigint]:1 name[text]:unchanged-toast-datum",
    undefined,
  ],
  [
    "an update of a key, with quoted names",
    `table shop."Order x": UPDATE: old-key: "Key a"[text]:'o''ld' b[integer]:1 new-tuple: "Key a"[text]:'new' b[integer]:-2 c[public."mood 1"]:'x'`,
    `UPDATE shop."Order x" SET "Key a" = 'new', b = '-2', c = 'x' WHERE "Key a" = 'o''ld' AND b = '1';`,
  ],
  ["a delete", "table public.orders: DELETE: id[bigint]:7", "DELETE FROM public.orders WHERE id = '7';"],
  [
    "a truncation",
    'table public.orders, shop."Order x": TRUNCATE: restart_seqs cascade',
    'TRUNCATE public.orders, shop."Order x" RESTART IDENTITY CASCADE;',
  ],
  [
    "a value that reads like a truncation",
    "table public.orders: UPDATE: id[bigint]:7 note[text]:'a, public.orders, b: TRUNCATE: cascade'",
    "UPDATE public.orders SET note = 'a, public.orders, b: TRUNCATE: cascade' WHERE id = '7';",
  ],
  ["a table that is not moved", "table public.other: DELETE: id[bigint]:7", undefined],
])("%s", (_, data, expected) => {
  expect(of(data)).toBe(expected);
});

test("a change that cannot be made elsewhere ends the move, and its values are not shown", () => {
  expect(() => of("table public.orders: DELETE: (no-tuple-data)")).toThrow("public.orders: a change without its key");
  expect(() => of("table public.orders: INSERT: id[bigint]:'secret")).toThrow(
    /^a change of a table could not be read$/,
  );
  expect(() => of("message: transactional: 1 prefix: secret-value")).toThrow(
    /^a change of another kind: message: transaction$/,
  );
});

test("transactions that the copy has are left out, also where their numbers begin again", () => {
  const snapshot = readSnapshot("100:110:103,105\n");
  expect([99, 100, 103, 104, 105, 109, 110, 500].map((xid) => isInCopy(snapshot, xid))).toEqual([
    ...[true, true, false, true, false, true, false, false],
  ]);
  const late = readSnapshot(`${2 ** 32 + 3}:${2 ** 32 + 5}:`);
  expect([2 ** 32 - 1, 2, 4, 5, 6].map((xid) => isInCopy(late, xid))).toEqual([true, true, true, false, false]);
  expect(() => readSnapshot("nothing")).toThrow(/no snapshot/);
  const rows = readRows(
    '[101,"table public.orders: DELETE: id[bigint]:1"]\n[105,"BEGIN"]\n[105,"table public.orders: DELETE: id[bigint]:2"]\n',
  );
  expect(statementsOf(rows, tables, snapshot)).toEqual(["DELETE FROM public.orders WHERE id = '2';"]);
});
