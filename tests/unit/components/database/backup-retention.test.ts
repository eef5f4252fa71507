/** Which backups are deleted for their age, by the shell function itself. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { retention } from "../../../../components/database/backup-retention.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

const limit = "20261118T023000Z";
const folder = temporaryFolder("retention");
const whole = (...times: string[]) =>
  times.flatMap((time) => [`${time}.dump.age`, `${time}.globals.sql.age`, `${time}.manifest`]);
const days = (...numbers: number[]) => numbers.map((day) => `202611${String(day).padStart(2, "0")}T023000Z`);
const hourly = (day: string): string[] =>
  Array.from({ length: 12 }, (_, hour) => day.replace(/T../, `T${String(hour + 8).padStart(2, "0")}`));

interface Policy {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

interface Case {
  readonly objects: readonly string[];
  /** Times of good backups. */
  readonly good: readonly string[];
  readonly policy?: Policy;
  readonly before?: string;
}

/** The objects that are deleted, for each case; one shell for all, since to start one takes longer than to decide. */
function outdatedIn(cases: readonly Case[]): string[][] {
  const commands = cases.map(({ objects, good, policy = weekOnly, before = limit }, at) => {
    const newest = [...good].sort().reverse();
    for (const [name, lines] of Object.entries({ [`good-${at}`]: newest, [`objects-${at}`]: objects }))
      writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(""));
    const { daily, weekly, monthly } = policy;
    return `DAILY=${daily} WEEKLY=${weekly} MONTHLY=${monthly}
outdated ${before} '${folder}/good-${at}' <'${folder}/objects-${at}'
echo end`;
  });
  const { status, stdout, stderr } = spawnSync("sh", ["-euc", [retention, ...commands].join("\n")], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout
    .split(/^end\n/m)
    .slice(0, -1)
    .map((lines) => lines.split("\n").filter(Boolean));
}

const weekOnly: Policy = { daily: 7, weekly: 0, monthly: 0 };

/** The objects that are deleted. @param good times of good backups */
const outdated = (
  objects: readonly string[],
  good: readonly string[],
  policy: Policy = weekOnly,
  before = limit,
): string[] => outdatedIn([{ objects, good, policy, before }])[0] ?? [];

test.each([
  ["a backup every night: what is older than seven days", days(16, 17, 18, 19, 20, 21, 22, 23, 24, 25), days(16, 17)],
  ["many of one day: nothing that is younger", [...days(18), ...days(25).flatMap(hourly)], []],
  ["many of one day: none of the days before", [...days(17, 20, 21), ...days(25).flatMap(hourly)], days(17)],
  ["after weeks without one: the newest seven stay", days(1, 2, 3, 4, 5, 6, 7, 8, 25), days(1, 2)],
  ["the first one after all: nothing", days(1), []],
  ["the newest is older than the limit, for the clock is wrong: it stays", days(10, 11, 12), []],
  [
    "a day to the second is not over",
    [...days(18, 19, 20, 21, 22, 23, 24, 25), "20261118T022959Z"],
    ["20261118T022959Z"],
  ],
])("%s", (_, times, gone) => {
  expect(outdated(whole(...times), times)).toEqual(whole(...gone));
});

test("incomplete ones are deleted by age, and do not push out what is complete", () => {
  const broken = days(2, 3, 4, 5, 6, 7, 8, 9, 24).map((time) => `${time}.dump.age`);
  expect(outdated([...whole(...days(1)), ...broken], days(1))).toEqual(broken.slice(0, -1));
});

test("what is no backup's stays, whatever it is called", () => {
  const others = ["notes.txt", "2020.dump", "1T1Z.dump", "20201118T023000Z", "a20201118T023000Z.dump"];
  expect(outdated(others, days(25))).toEqual([]);
});

test("without a good backup nothing is deleted", () => {
  expect(outdated(whole(...days(1, 2)), [])).toEqual([]);
});

test("a database that was emptied three weeks ago: the last good backup is there, whatever suspect ones follow", () => {
  const good = days(1, 2, 3, 4);
  const suspect = days(...Array.from({ length: 21 }, (_, index) => index + 5));
  const gone = outdated(whole(...good, ...suspect), good, { daily: 7, weekly: 5, monthly: 12 }, days(18)[0]);
  expect(gone.filter((name) => good.some((time) => name.startsWith(time)))).toEqual([]);
  expect(gone).toEqual(whole(...suspect.slice(0, 13)));
});

test("four months of nights, all taken for good: a loss that nobody noticed for a month has good ones before it", () => {
  const first = Date.UTC(2026, 7, 1, 2, 30);
  const nights = Array.from({ length: 120 }, (_, night) => {
    return `${timeOf(first + night * 86_400_000)} ${timeOf(first + (night - 15) * 86_400_000)}\n`;
  });
  // One shell for all nights, the newest backup first.
  const script = `${retention}
DAILY=7 WEEKLY=5 MONTHLY=12
cd '${folder}' && : >kept
while read -r time before; do
  { echo "$time"; cat kept; } >good
  while read -r each; do echo "$each.dump.age"; echo "$each.globals.sql.age"; echo "$each.manifest"; done <good >objects
  outdated "$before" good <objects | sed -n 's/[.]manifest$//p' >gone
  grep -vxFf gone good >kept
done
cat kept`;
  const { stdout, stderr, status } = spawnSync("sh", ["-euc", script], { input: nights.join(""), encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  const kept = stdout.trim().split("\n").reverse();
  expect(kept.filter((time) => time < "20261030")).toEqual(["20260831T023000Z", "20260930T023000Z"]);
  // Sixteen nights, then the last of two more weeks, and of three more months.
  expect(kept).toHaveLength(16 + 2 + 3);
});

const timeOf = (millis: number): string => new Date(millis).toISOString().replaceAll(/[-:]|\.\d+/g, "");
const dayOf = (time: string): number =>
  Math.floor(Date.UTC(Number(time.slice(0, 4)), Number(time.slice(4, 6)) - 1, Number(time.slice(6, 8))) / 86_400_000);
const weekOf = (time: string): number => Math.floor((dayOf(time) + 3) / 7);
const monthOf = (time: string): string => time.slice(0, 6);

/** What the documentation promises, in other words than the function's. */
function promised(good: readonly string[], { daily, weekly, monthly }: Policy): Set<string> {
  const newest = [...good].sort().reverse();
  const lastOf = (period: (time: string) => string | number, count: number): string[] =>
    [...new Set(newest.map(period))]
      .slice(0, count)
      .flatMap((one) => newest.find((time) => period(time) === one) ?? []);
  return new Set([...newest.slice(0, daily), ...lastOf(weekOf, weekly), ...lastOf(monthOf, monthly)]);
}

test("whatever backups there are, exactly what the policy promises is kept", () => {
  const times = fc
    .array(fc.integer({ min: Date.UTC(1999, 11, 20), max: Date.UTC(2004, 2, 10) }), { maxLength: 60 })
    .map((millis) => [...new Set(millis.map(timeOf))].sort());
  const policies = fc.record({
    ...{ daily: fc.integer({ min: 1, max: 10 }), weekly: fc.integer({ min: 0, max: 8 }) },
    monthly: fc.integer({ min: 0, max: 14 }),
  });
  const one = fc
    .tuple(times, policies, fc.array(fc.boolean()), fc.integer({ min: 0, max: 60 }))
    .map(([all, policy, marks, at]) => ({
      ...{ all, policy, good: all.filter((_, index) => marks[index] !== false) },
      before: all[at] ?? "20050101T000000Z",
    }));
  fc.assert(
    fc.property(fc.array(one, { minLength: 150, maxLength: 150 }), (cases) => {
      const answers = outdatedIn(cases.map(({ all, ...rest }) => ({ objects: whole(...all), ...rest })));
      expect(answers).toHaveLength(cases.length);
      for (const [index, { all, good, policy, before }] of cases.entries()) {
        const gone = new Set(answers[index]);
        const kept = promised(good, policy);
        const expected = all.filter((time) => good.length === 0 || time >= before || kept.has(time));
        expect(all.filter((time) => !gone.has(`${time}.manifest`))).toEqual(expected);
        // A backup is kept or deleted as a whole.
        expect(gone.size % 3).toBe(0);
      }
    }),
    // To make 150 cases smaller takes for ever; the message has the one that fails.
    { numRuns: 1, endOnFailure: true },
  );
});
