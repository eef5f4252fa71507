/** The script that copies one PostgreSQL to another; tests/e2e/move-database.test.ts runs it. */
import { spawnSync } from "node:child_process";
import { copyScript } from "../../../../tools/move-database/copy-script.ts";

const own = { name: "own", container: "orion-prod-database", database: "orion_db", owner: "orion_owner" };
const external = { name: "external", container: "orion-prod-move", database: "postgresql://app@db.example.com/it's" };

test("a shell reads it, also with a quote in a URL", () => {
  for (const script of [copyScript(own, external), copyScript(external, own)])
    expect(spawnSync("sh", ["-n"], { input: script }).status).toBe(0);
});

test("the copy belongs to the role that owns the target's tables; without one, to the role that logs in", () => {
  expect(copyScript(external, own)).toContain("--role=orion_owner");
  expect(copyScript(own, external)).not.toContain("--role=");
});

test("the marker of a move is not copied", () => {
  expect(copyScript(own, external)).toContain("--exclude-table=public.orion_move");
});
