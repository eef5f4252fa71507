/** Times that are restored, and doctor's judgement of the archive. */
import { judgeArchive } from "../../../../tools/point-in-time/archive-check.ts";
import { requireTime } from "../../../../tools/point-in-time/restore.ts";

const now = new Date("2026-11-29T12:00:00Z");
const seconds = now.getTime() / 1000;

test("a time is a second of the past, in UTC", () => {
  expect(requireTime("restore", "2026-11-29 11:59:59", now)).toBe("2026-11-29 11:59:59");
  expect(requireTime("restore", "2026-11-29 11:59:59.5", now)).toBe("2026-11-29 11:59:59.5");
});

test.each([
  [undefined, "restore: TIME is missing; allowed: a time in the past in UTC, such as TIME='2026-11-29 12:00:05'"],
  ["", "TIME is missing"],
  ["yesterday", "got TIME='yesterday', allowed: a time in the past in UTC"],
  ["2026-11-29T11:00:00", "allowed: a time in the past in UTC"],
  ["2026-13-01 00:00:00", "allowed: a time in the past in UTC"],
  ["2026-11-29 11:00:00'; DROP", "allowed: a time in the past in UTC"],
  ["2026-11-29 12:00:00", "which is not in the past"],
])("%p is refused", (time, why) => {
  expect(() => requireTime("restore", time, now)).toThrow(why);
});

const facts = (more: Readonly<Record<string, string>>): string =>
  Object.entries({
    ...{
      first: String(seconds - 86_400),
      newest: String(seconds - 3600),
      waiting: "0 0",
      archived: `${seconds - 20} 0000`,
      ...more,
    },
  })
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");

test("a database that was killed has begun its statistics again: that is no change of decades ago", () => {
  expect(judgeArchive(facts({ archived: "0 -" }), now, now)).toEqual({
    detail: "any second since 2026-11-28 12:00:00 UTC; no change was archived since the database's last recovery",
  });
});

test("an archive that keeps up is well, and says since when and how old", () => {
  expect(judgeArchive(facts({}), now, now)).toEqual({
    detail: "any second since 2026-11-28 12:00:00 UTC; the newest change was archived 20 s ago",
  });
  expect(judgeArchive(facts({ source: "replica-1" }), now, now).detail).toMatch(
    /20 s ago; the newest base backup was read from replica-1$/,
  );
  // A segment of this minute.
  expect(judgeArchive(facts({ waiting: "1 40" }), now, now)).not.toHaveProperty("problem");
});

test.each([
  [{ waiting: "70 4200" }, "archive-late", "70 segments wait, the oldest one for 4200 s"],
  [{ waiting: "3 10", gap: String(seconds - 60) }, "archive-gap", "changes were given up 60 s ago; 3 segments wait"],
  [{ newest: String(seconds - 60 * 3600) }, "base-backup-late", "the newest base backup is 60 h old"],
])("%j is %s", (more, problem, detail) => {
  expect(judgeArchive(facts(more), now, now)).toEqual({ problem, detail });
});

test("without a base backup nothing can be restored", () => {
  const empty = (minutes: number) =>
    judgeArchive("waiting 0 0\narchived 0 -\n", new Date(now.getTime() - minutes * 60_000), now);
  expect(empty(31)).toMatchObject({ problem: "archive-empty" });
  expect(empty(2)).toEqual({ detail: "no base backup yet; the first one begins by itself" });
});
