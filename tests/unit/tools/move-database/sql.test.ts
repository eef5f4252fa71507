/** The SQL of a move, as far as it depends on what is moved; tests/e2e/move-database.test.ts runs all of it. */
import { contentsSql, userTriggers } from "../../../../tools/move-database/sql.ts";

test("rows are compared; those of a table of more than 2 GiB are counted", () => {
  const table = { key: ["id"], generated: [], identity: [] };
  const tables = new Map([
    [`public."it's"`, { ...table, bytes: 2 * 1024 ** 3 }],
    ["public.large", { ...table, bytes: 2 * 1024 ** 3 + 1 }],
  ]);
  expect(contentsSql(tables).split("\n")).toEqual([
    `SELECT 'public."it''s"', count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM public."it's" t;`,
    "SELECT 'public.large', count(*), 'not compared' FROM public.large t;",
  ]);
});

test("triggers are switched in all tables of the platform, and in none of the move's own", () => {
  expect(userTriggers("DISABLE")).toContain("ALTER TABLE %s DISABLE TRIGGER USER");
  expect(userTriggers("ENABLE")).toMatch(/c\.relname <> 'orion_move'/);
});
