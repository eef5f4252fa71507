/** The tables of a move, and how both databases are compared. */
import { compareContents, readTables } from "../../../../tools/move-database/tables.ts";

test("tables are read with their sizes and keys, by name", () => {
  const facts = { bytes: 8192, key: ["id"], generated: [], identity: ["id"] };
  expect(readTables(`${JSON.stringify({ table: "public.orders", ...facts })}\n`)).toEqual(
    new Map([["public.orders", facts]]),
  );
  expect(readTables("").size).toBe(0);
  expect(() => readTables('{"table": "public.orders"}')).toThrow("bytes");
});

test("equal contents give the number of rows; another sum, another count and a missing table are differences", () => {
  const source = "public.a|2|17\npublic.b|3|not compared\npublic.c|1|5";
  expect(compareContents(source, source)).toEqual({ rows: 6, different: [] });
  expect(compareContents(source, "public.a|2|18\npublic.b|4|not compared\n").different).toEqual([
    "public.a",
    "public.b",
    "public.c",
  ]);
  expect(compareContents('public."a|b"|2|1', 'public."a|b"|2|3')).toEqual({ rows: 2, different: ['public."a|b"'] });
  expect(compareContents("", "")).toEqual({ rows: 0, different: [] });
});
