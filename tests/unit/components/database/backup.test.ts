/** Backups: what the component asks the engine for, and the texts that it brings to the server. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Backup, type BackupArgs } from "../../../../components/database/backup.ts";
import { databaseText, settingsText, storeText } from "../../../../components/database/backup-files.ts";
import { backupScript, retention } from "../../../../components/database/backup-scripts.ts";
import { backupService, backupTimer } from "../../../../components/database/backup-units.ts";
import { restoreDrillScript } from "../../../../components/database/restore-drill-script.ts";
import { backupNow } from "../../../../tools/backup.ts";
import { compose } from "../../support/compose.ts";
import { named, runtimeOf } from "../../support/runtime.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

const store = {
  ...{ bucket: pulumi.output("orion-files-backups"), endpoint: "https://files.example.net" },
  ...{ accessKeyId: pulumi.output("id"), secretAccessKey: pulumi.secret("secret-key") },
};
const databaseUrl = pulumi.secret("postgresql://orion_user:p4ssw0rd@10.20.1.11:5432/orion_db?sslmode=require");
const settings = {
  ...{ bucket: "orion-files-backups", network: "orion-test-network", external: false },
  ...{ postgresImage: "postgres:test", rcloneImage: "rclone:test" },
};
/** Twelve times of one day. */
const hourly = (day: string): string[] =>
  Array.from({ length: 12 }, (_, hour) => day.replace(/T../, `T${String(hour + 8).padStart(2, "0")}`));
const access = { endpoint: "https://files.example.net", accessKeyId: "id", secretAccessKey: "secret-key" };

describe.each(["preview", "up"] as const)("Backup in mode %s", (mode) => {
  const composed = (more: Partial<BackupArgs> = {}) =>
    compose(
      mode,
      () => new Backup("backup", { runtime: runtimeOf("postgres", "rclone"), store, databaseUrl, ...more }),
    );

  test("is files on the server, and a timer that is started", async () => {
    const { resources } = await composed();
    expect(named(resources, "backup-files")).toEqual({
      type: "orion:index:HostFiles",
      name: "backup-files",
      inputs: {
        host: "unix:///var/run/docker.sock",
        sshOptions: [],
        files: {
          "/usr/local/sbin/orion-backup": { text: backupScript, mode: "0755" },
          "/usr/local/sbin/orion-restore-drill": { text: restoreDrillScript, mode: "0755" },
          "/etc/orion/backup/settings": { text: settingsText(settings), mode: "0600" },
          "/etc/orion/backup/store.env": { text: { "[secret]": storeText(access) }, mode: "0600" },
          "/etc/orion/backup/database.env": {
            text: {
              "[secret]":
                "PGHOST=10.20.1.11\nPGPORT=5432\nPGUSER=orion_user\nPGPASSWORD=p4ssw0rd\nPGDATABASE=orion_db\nPGSSLMODE=require\n",
            },
            mode: "0600",
          },
          "/etc/systemd/system/orion-backup.service": { text: backupService, mode: "0644" },
          "/etc/systemd/system/orion-backup.timer": { text: backupTimer, mode: "0644" },
        },
        command: ["sh", "-c", "systemctl daemon-reload && systemctl enable --now --quiet orion-backup.timer"],
        removal: [
          "sh",
          "-c",
          "[ ! -e /etc/systemd/system/orion-backup.timer ] || systemctl disable --now --quiet orion-backup.timer",
        ],
      },
      options: {
        parent: "orion:database:Backup backup",
        deleteBeforeReplace: true,
        dependencies: [
          "docker:index/network:Network local-network",
          "docker:index/remoteImage:RemoteImage local-image-postgres",
          "docker:index/remoteImage:RemoteImage local-image-rclone",
        ],
      },
    });
  });

  test("of an external database takes no passwords of roles along", async () => {
    const { resources } = await composed({ external: true });
    const files = named(resources, "backup-files").inputs["files"] as Record<string, { text: string }>;
    expect(files["/etc/orion/backup/settings"]?.text).toContain("GLOBALS='--no-role-passwords'");
  });
});

describe("what goes for its age", () => {
  const limit = "20261118T023000Z";
  const whole = (...times: string[]) =>
    times.flatMap((time) => [`${time}.dump`, `${time}.globals.sql`, `${time}.manifest`]);
  const days = (...numbers: number[]) => numbers.map((day) => `202611${String(day).padStart(2, "0")}T023000Z`);

  /** What goes of the objects; those with a manifest are the complete ones. */
  function outdated(objects: readonly string[]): string[] {
    const complete = objects.flatMap((name) => /^(.*)\.manifest$/.exec(name)?.[1] ?? []);
    const input = [...complete].sort().reverse().join("\n");
    const files = temporaryFolder("retention");
    writeFileSync(join(files, "complete"), input === "" ? "" : `${input}\n`);
    const shell = `${retention}outdated ${limit} '${files}/complete'`;
    const { status, stdout, stderr } = spawnSync("sh", ["-euc", shell], {
      ...{ input: objects.map((name) => `${name}\n`).join(""), encoding: "utf8" },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout.split("\n").filter(Boolean);
  }

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
    expect(outdated(whole(...times))).toEqual(whole(...gone));
  });

  test("what never was complete goes as late, and does not push out what is", () => {
    const broken = [...days(2, 3, 4, 5, 6, 7, 8, 9, 24)].map((time) => `${time}.dump`);
    expect(outdated([...whole(...days(1)), ...broken])).toEqual(broken.slice(0, -1));
  });

  test("what is no backup's stays, whatever it is called", () => {
    expect(outdated(["notes.txt", "2020.dump", "1T1Z.dump", "20201118T023000Z", "a20201118T023000Z.dump"])).toEqual([]);
  });

  test("without a list of complete backups nothing goes", () => {
    expect(outdated(days(1, 2).map((time) => `${time}.dump`))).toEqual([]);
  });
});

describe("the texts", () => {
  test.each([
    ["backup", backupScript],
    ["drill", restoreDrillScript],
    ["make backup", backupNow],
    ["settings", settingsText({ ...settings, bucket: "it's" })],
  ])("%s is what every shell understands", (_, text) => {
    expect(spawnSync("sh", ["-n"], { input: text, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  test("settings mean what they say, whatever they say", () => {
    const text = `${settingsText({ ...settings, bucket: `it's $HOME "x"` })}printf %s "$BUCKET"`;
    expect(spawnSync("sh", { input: text, encoding: "utf8" }).stdout).toBe(`it's $HOME "x"`);
  });

  test("no container's output goes into Docker's log, where the data would be a second time", () => {
    const runs = [backupScript, restoreDrillScript].flatMap((text) => text.match(/docker run (?:.*\\\n)*.*/g) ?? []);
    expect(runs.length).toBeGreaterThanOrEqual(4);
    for (const each of runs.filter((one) => !one.includes("--detach"))) expect(each).toContain("--log-driver none");
  });

  test("old backups are looked at only after the new one is complete", () => {
    const [complete, deletion] = ['store "$stamp.manifest"', "remote delete"].map((text) => backupScript.indexOf(text));
    expect(complete).toBeGreaterThan(0);
    expect(deletion).toBeGreaterThan(complete ?? 0);
  });

  test.each([
    [
      "postgresql://app%40x:p%2Fw%3D%23@db.example.com/orders",
      "PGHOST=db.example.com\nPGUSER=app@x\nPGPASSWORD=p/w=#\nPGDATABASE=orders\n",
    ],
    [
      "postgresql://u:p@[2001:db8::1]:6432/o?sslmode=verify-full&pool_size=5&connect_timeout=9",
      "PGHOST=2001:db8::1\nPGPORT=6432\nPGUSER=u\nPGPASSWORD=p\nPGDATABASE=o\nPGSSLMODE=verify-full\nPGCONNECT_TIMEOUT=9\n",
    ],
  ])("the URL %s, as PostgreSQL's clients take it", (url, expected) => {
    expect(databaseText(url)).toBe(expected);
  });

  test.each([
    "postgresql://user:p4ssw0rd@host:port/x",
    "mysql://user:p4ssw0rd@host/x",
    "postgresql://u:p4ssw0rd%@host/x",
  ])("%s is refused, and not repeated", (url) => {
    expect(() => databaseText(url)).toThrow(/^orion:databaseUrl: got an invalid URL, allowed: postgresql:/);
    expect(() => databaseText(url)).not.toThrow("p4ssw0rd");
  });

  test("the timer comes every night, makes up for a night that was missed, and a failure is tried again", () => {
    expect(backupTimer).toMatch(/^OnCalendar=\*-\*-\* \d\d:\d\d:00 UTC$/m);
    expect(backupTimer).toMatch(/^Persistent=true$/m);
    expect(backupTimer).toMatch(/^RandomizedDelaySec=/m);
    expect(backupService).toMatch(/^Restart=on-failure$/m);
  });
});
