import { explain } from "../../../tools/doctor/advice.ts";
import { backup, judge, restoreDrill, showBackupKey } from "../../../tools/backup.ts";
import { Engines } from "../../../tools/engines.ts";
import { describeStack } from "../../../tools/stack-file.ts";
import { leastValues } from "../support/settings.ts";

const now = new Date("2026-11-25T12:00:00Z");
const since = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const stackOf = (values: Readonly<Record<string, unknown>>) =>
  describeStack("prod", {
    config: Object.fromEntries(Object.entries(values).map(([key, value]) => [`orion:${key}`, value])),
  });

describe("doctor", () => {
  test.each([
    ["20261125T023114Z\n20261124T024000Z\n", 99, { detail: "2 complete, the newest 9 h old" }],
    ["20261124T100000Z\n", 99, { detail: "1 complete, the newest 26 h old" }],
    ["20261124T095959Z\n", 1, { problem: "backup-late", detail: "1 complete, the newest 26 h old" }],
    ["20261101T023000Z\n", 1, { problem: "backup-late", detail: "1 complete, the newest 585 h old" }],
    [
      "20261125T023114Z suspect\n20261124T024000Z\n",
      99,
      { problem: "backup-suspect", detail: "20261125T023114Z is suspect; the last good one is 33 h old" },
    ],
    [
      "20261125T023114Z suspect\n",
      99,
      { problem: "backup-suspect", detail: "20261125T023114Z is suspect; there is no good one" },
    ],
    // Older suspect ones are no problem any more; accepted ones never are.
    ["20261125T023114Z accepted\n20261124T024000Z suspect\n", 99, { detail: "2 complete, the newest 9 h old" }],
    ["", 3, { detail: "none yet; the first comes at night" }],
    ["", 27, { problem: "backup-late", detail: "none" }],
  ])("takes %j, %d hours after backups began, for %j", (list, hours, expected) => {
    expect(judge(list, since(hours), now)).toEqual(expected);
  });

  test("says what helps", () => {
    expect(explain("backup-late", "backup", "STACK=prod").remedy).toContain("make backup STACK=prod");
    expect(explain("backup-suspect", "backup", "STACK=prod").remedy).toContain("make backup STACK=prod ACCEPT=<time>");
    expect(explain("backups-off", "backup", "STACK=prod").remedy).toContain("--replace '**::backup-files'");
    expect(explain("backups-unknown", "backup", "STACK=prod").remedy).toContain("orion-backup list");
  });
});

describe("a stack without backups is told why", () => {
  test.each([
    [leastValues("development"), "Stack 'prod' runs on this machine and takes no backups; phases with servers do."],
    [
      { ...leastValues("mvp"), storage: { backend: "local", noBackups: true } },
      /takes no backups, because orion:storage\.backend is local: .*With r2 they go into a separate bucket/,
    ],
  ])("%j", async (values, message) => {
    const file = stackOf(values);
    const engines = new Engines("/nonexistent", file);
    expect(() => backup(file, engines)).toThrow(message);
    expect(() => showBackupKey("/nonexistent", file)).toThrow(message);
    await expect(restoreDrill("/nonexistent", file, engines)).rejects.toThrow(message);
  });
});
