/** What somebody sends to those who must agree to a move: the report of a rehearsal under load, and that of drills. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { RehearsalCloud } from "../../testing/cloud.ts";
import { documented } from "../../testing/documented.ts";
import { remainsOf } from "../../testing/cloud-remains.ts";
import { succeed } from "../../testing/sandbox.ts";
import { serversOf } from "../../testing/servers.ts";
import { drillRecordSchema } from "../../tools/report/drill-record.ts";
import { pageFrom } from "../../tools/report/draw-again.ts";
import { recordSchema } from "../../tools/report/record.ts";

const root = resolve(__dirname, "..", "..");
jest.setTimeout(1_800_000);

const own = { name: "report", block: 88 };
const place = ["BLOCK=88", "PORT=8488"];
const before = remainsOf(own);
const cloud = new RehearsalCloud(root, { ...own, port: 8488, machines: "docker" });
const folder = mkdtempSync(join(tmpdir(), "orion-report-"));

afterAll(() => {
  cloud.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
const page = (name: string): string => readFileSync(join(folder, `${name}.html`), "utf8");

test("a dump is restored before the move, and the stack's own roles own it", async () => {
  succeed(cloud.runMake("rehearse", [...place, "PHASE=mvp"]));
  const { query, on } = serversOf(cloud);
  const rows = (sql: string) => query("core-1", "database", sql);
  await rows(
    "INSERT INTO orders (reference, item, quantity, email, confirmation_count, confirmed_at) SELECT gen_random_uuid(), 'lamp', 1, 'p' || n || '@example.org', 1, now() FROM generate_series(1, 1000) n",
  );
  const dump = join(folder, "shop.dump");
  const inServer = "/var/tmp/shop.dump";
  await on("core-1", "sh", "-c", `docker exec orion-prod-database pg_dump -U orion_user -Fc orion_db > ${inServer}`);
  const [text = ""] = await on("core-1", "base64", "--wrap=0", inServer);
  writeFileSync(dump, Buffer.from(text, "base64"));
  await rows(
    "INSERT INTO orders (reference, item, quantity, email, confirmation_count, confirmed_at) VALUES (gen_random_uuid(), 'late', 1, 'late@example.org', 1, now())",
  );
  succeed(cloud.runMake("rehearse", [...place, "PHASE=mvp", `DATA=${dump}`]));
  expect(await rows("SELECT count(*), count(*) FILTER (WHERE item = 'late') FROM orders")).toEqual(["1000|0"]);
  expect(await rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")).toEqual(["orion_owner"]);
});

test("a move under load is reported as it was: the engine's steps, every request, no order missing, nothing with data restarted", () => {
  const out = `OUT=${join(folder, "move.html")}`;
  const said = succeed(cloud.runDocumented(documented("make rehearse PHASE=scale LOAD=1"), [out]));
  expect(said).toContain("The rehearsal under load: The update was complete");
  const { update, load, kept, before: was, after: is } = recordSchema.parse(read("move"));
  expect([was.phase, is.phase, update.code]).toEqual(["mvp", "scale", 0]);
  expect(
    update.steps.filter(({ action, resource }) => action === "create" && resource.startsWith("Server ")),
  ).toHaveLength(4);
  // Each step lies within the update, by the engine's whole seconds.
  for (const { from, to } of update.steps) {
    expect(from).toBeGreaterThanOrEqual(update.from - 1000);
    expect(to).toBeLessThanOrEqual(update.to);
  }
  expect(load.requests["order"]?.length).toBe(load.ledger.acknowledged);
  expect(load.ledger).toMatchObject({ lost: [], doubled: [], unconfirmed: [] });
  expect(kept.map(({ service }) => service).sort()).toEqual(["broker", "cache", "database"]);
  for (const one of kept) expect(one.after).toBe(one.before);
  expect(page("move")).toBe(pageFrom(readFileSync(join(folder, "move.json"), "utf8"), "move.json"));
});

test("drills under load: the platform gets well, and every order is there", () => {
  const out = `OUT=${join(folder, "drills.html")}`;
  succeed(cloud.runDocumented(documented("make drill DRILL=power-cut,restore"), [out]));
  const { episodes } = drillRecordSchema.parse(read("drills"));
  expect(episodes.map(({ name, problem }) => [name, problem])).toEqual([
    ["power-cut", null],
    ["restore", null],
  ]);
  // Without a failed order the power was not cut.
  expect(episodes[0]?.load.failures.some(({ what }) => what === "order")).toBe(true);
  expect(episodes[1]?.output).toMatch(/was restored: \d+ tables, \d+ rows, all as they were backed up/);
});

test("it goes with its cloud", () => {
  cloud.down();
  expect(remainsOf(own)).toEqual(before);
});
