/** What makes a backup suspect, by the shell function itself. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { losses } from "../../../../components/database/backup-losses.ts";
import { scriptHead } from "../../../../components/database/backup-scripts.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

const folder = temporaryFolder("losses");
const fact = /^fact\(\) .*$/m.exec(scriptHead("test"))?.[0] ?? "";

interface Manifest {
  readonly tables?: Readonly<Record<string, number>>;
  readonly bytes?: number;
  readonly database?: string;
  readonly lsn?: string;
  readonly system?: string;
}

const textOf = ({ tables = {}, bytes = 1_000_000, database = "orion_db", lsn = "0/1000", system = "7" }: Manifest) =>
  [
    "orion-backup 2",
    `lsn ${lsn}`,
    ...Object.entries(tables).map(([name, rows]) => `table ${rows} - ${name}`),
    ...[`system ${system}`, `database ${database}`, `file ${bytes} 00ff 20261101T023000Z.dump.age`, ""],
  ].join("\n");

function found(before: string, now: string, fluctuating = ""): string[] {
  writeFileSync(join(folder, "before"), before);
  writeFileSync(join(folder, "now"), now);
  const shell = `LOSS_PERCENT=20 FLUCTUATING='${fluctuating}'\n${fact}\n${losses}losses before now`;
  const { status, stdout, stderr } = spawnSync("sh", ["-euc", shell], { cwd: folder, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.split("\n").filter(Boolean);
}
const compared = (before: Manifest, now: Manifest, fluctuating?: string): string[] =>
  found(textOf(before), textOf(now), fluctuating);

const strange = `public."Strange name, isn't it"`;

test.each<[string, Manifest, Manifest, string[]]>([
  ["nothing new", { tables: { "public.orders": 900 } }, { tables: { "public.orders": 900 } }, []],
  ["more of everything", { tables: { "a.b": 5 } }, { tables: { "a.b": 9, "a.c": 1 }, bytes: 2e6, lsn: "1/0" }, []],
  ["a table gone", { tables: { [strange]: 3 } }, {}, [`${strange} is gone; it had 3 rows`]],
  ["an empty table gone", { tables: { "public.orders": 0 } }, {}, []],
  ["a table emptied", { tables: { "a.b": 1 } }, { tables: { "a.b": 0 } }, ["a.b is empty; it had 1 rows"]],
  ["a fifth of the rows, no more", { tables: { "a.b": 1000 } }, { tables: { "a.b": 800 } }, []],
  ["more than a fifth", { tables: { "a.b": 1000 } }, { tables: { "a.b": 799 } }, ["a.b has 799 rows; it had 1000"]],
  ["a few rows of a small table", { tables: { "a.b": 12 } }, { tables: { "a.b": 2 } }, []],
  [
    "billions of rows",
    { tables: { "a.b": 30_000_000_000 } },
    { tables: { "a.b": 3_000_000_000 } },
    ["a.b has 3000000000 rows; it had 30000000000"],
  ],
  [
    "a smaller dump, with as many rows",
    { tables: { "a.b": 9 }, bytes: 5_000_000_000 },
    { tables: { "a.b": 9 }, bytes: 3_000_000_000 },
    ["the dump has 3000000000 bytes; the one before has 5000000000"],
  ],
  ["a smaller dump of next to nothing", { bytes: 90_000 }, { bytes: 3_000 }, []],
  [
    "an older position",
    { lsn: "A/FFFFFFFF" },
    { lsn: "9/FFFFFFFF" },
    ["its position 9/FFFFFFFF is older than that of the one before, A/FFFFFFFF"],
  ],
  ["an older position of another cluster", { lsn: "A/0", system: "7" }, { lsn: "1/0", system: "8" }, []],
  [
    "another database",
    { tables: { "a.b": 9 } },
    { database: "other" },
    ["it is of the database other, the one before is of orion_db"],
  ],
])("%s", (_, before, now, expected) => {
  expect(compared(before, now)).toEqual(expected);
});

test("tables that come and go are not compared; a dot is a dot", () => {
  const tables = { "public.outbox": 90, "public.events_2026": 90, publicXoutbox: 90, "public.orders": 90 };
  expect(compared({ tables }, {}, "public.outbox public.events_*")).toEqual([
    "publicXoutbox is gone; it had 90 rows",
    "public.orders is gone; it had 90 rows",
  ]);
});

test("a manifest of the version before is compared as well: it has sums, no position, and another name of the dump", () => {
  const before = [
    ...["orion-backup 1", "taken 2026-11-25T02:30:00Z", "table 900 -34910792744956497338 public.orders"],
    ...["database orion_db", "server 15.8", "bytes 9", "file 900 00 20261125T023000Z.globals.sql"],
    ...["file 2000000 00ff 20261125T023000Z.dump", ""],
  ].join("\n");
  expect(found(before, textOf({ tables: { "public.orders": 90 }, bytes: 1_000_000 }))).toEqual([
    "public.orders has 90 rows; it had 900",
    "the dump has 1000000 bytes; the one before has 2000000",
  ]);
});
