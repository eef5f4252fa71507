/** Fewer backups are a danger: the next run deletes what no rule keeps any more. */
import { lostBackups } from "../../../policy/kept-backups.ts";
import { foundBothWays, graphsBetween, stackOf } from "./support.ts";

const keeping = (backups: object) => stackOf("mvp", { backups });
const full = { daily: 30, weekly: 8, monthly: 9, lockDays: 30, pointInTimeDays: 30 };

test.each([
  ["daily", 1],
  ["weekly", 0],
  ["monthly", 0],
  ["lockDays", 0],
  ["pointInTimeDays", 2],
] as const)("orion:backups.%s that falls to %s, in a state as between files", async (key, value) => {
  const from = full[key];
  for (const found of await foundBothWays(keeping(full), keeping({ ...full, [key]: value }), "backups")) {
    expect(found).toEqual([
      {
        severity: "danger",
        name: "backups",
        happens: expect.stringContaining(`orion:backups.${key} falls from ${from} to ${value} (`) as string,
        instead: expect.stringContaining(`leave orion:backups.${key} at ${from};`) as string,
      },
    ]);
  }
});

test("more or the same, without backups, and before the stack said it: nothing", async () => {
  const { before, after } = await graphsBetween(keeping({}), keeping(full));
  expect(lostBackups(before, before)).toEqual([]);
  const more = await graphsBetween(keeping({ daily: 3, weekly: 1 }), keeping({ daily: 4, weekly: 1 }));
  expect(lostBackups(more.before, more.after)).toEqual([]);
  const local = await graphsBetween(keeping(full), stackOf("development"));
  expect(lostBackups(local.before, local.after)).toEqual([]);
  expect(lostBackups({ resources: [], uses: new Map() }, after)).toEqual([]);
});
