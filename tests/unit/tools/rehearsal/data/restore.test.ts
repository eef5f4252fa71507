/** What stands still while a dump is restored into a rehearsal. */
import { plan } from "../../../../../topology/plan.ts";
import { usersOf } from "../../../../../tools/rehearsal/data/restore.ts";
import { settingsOf } from "../../../support/settings.ts";

test("everything that runs the platform's image stands still, also Flower, which may read the database", () => {
  const users = usersOf({ topology: plan("prod", settingsOf("scale", { workers: { beatAndFlower: "everything" } })) });
  expect([...new Set(users.map(({ kind }) => kind))]).toEqual(["app", "worker", "beat", "flower"]);
});
