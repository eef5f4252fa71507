/** Backups: what the component asks the engine for, and the texts that it brings to the server. */
import { spawnSync } from "node:child_process";
import * as pulumi from "@pulumi/pulumi";
import { Backup, type BackupArgs } from "../../../../components/database/backup.ts";
import { databaseText, settingsText, storeText } from "../../../../components/database/backup-files.ts";
import { backupScript } from "../../../../components/database/backup-script.ts";
import { backupService, backupTimer } from "../../../../components/database/backup-units.ts";
import { restoreDrillScript } from "../../../../components/database/restore-drill-script.ts";
import { presets } from "../../../../config/presets.ts";
import { backupNow } from "../../../../tools/backup.ts";
import { compose } from "../../support/compose.ts";
import { named, runtimeOf } from "../../support/runtime.ts";

const store = {
  ...{ bucket: pulumi.output("orion-files-backups"), endpoint: "https://files.example.net" },
  ...{ accessKeyId: pulumi.output("id"), secretAccessKey: pulumi.secret("secret-key") },
};
const databaseUrl = pulumi.secret("postgresql://orion_user:p4ssw0rd@10.20.1.11:5432/orion_db?sslmode=require");
const settings = {
  ...{ bucket: "orion-files-backups", network: "orion-test-network", appImage: undefined },
  ...{ postgresImage: "postgres:test", rcloneImage: "rclone:test" },
  ...{ recipient: "age1public", policy: { ...presets.mvp.backups, fluctuating: ["public.outbox", "public.events_*"] } },
};
const { recipient, policy } = settings;
const access = { endpoint: "https://files.example.net", accessKeyId: "id", secretAccessKey: "secret-key" };

describe.each(["preview", "up"] as const)("Backup in mode %s", (mode) => {
  const composed = (more: Partial<BackupArgs> = {}) =>
    compose(
      mode,
      () =>
        new Backup("backup", {
          ...{ runtime: runtimeOf("postgres", "rclone"), store, databaseUrl, recipient, policy, ...more },
        }),
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
        command: [
          ...["sh", "-c"],
          "systemctl daemon-reload && " +
            "{ command -v age >/dev/null || { apt-get update -q && apt-get install -qy --no-install-recommends -o DPkg::Lock::Timeout=90 age; }; } && " +
            "systemctl enable --now --quiet orion-backup.timer",
        ],
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

  test("a replica's connection is a file of its own, beside the primary's", async () => {
    const replicaUrl = pulumi.secret("postgresql://orion_user:p4ssw0rd@10.20.1.22:5432/orion_db");
    const { resources } = await composed({ replicaUrl });
    const files = named(resources, "backup-files").inputs["files"] as Record<string, { text: unknown }>;
    expect(files["/etc/orion/backup/replica.env"]?.text).toEqual({
      "[secret]": "PGHOST=10.20.1.22\nPGPORT=5432\nPGUSER=orion_user\nPGPASSWORD=p4ssw0rd\nPGDATABASE=orion_db\n",
    });
    expect(files["/etc/orion/backup/database.env"]).toBeDefined();
  });

  test("of an external database takes no passwords of roles along, and verifies the server by a file of the app's image", async () => {
    const { resources } = await composed({
      ...{ external: true, runtime: runtimeOf("postgres", "rclone", "app") },
      databaseUrl: "postgresql://app:p@db.example.net/shop?sslmode=verify-full&sslrootcert=/etc/provider-ca.crt",
    });
    const files = named(resources, "backup-files").inputs["files"] as Record<string, { text: string }>;
    expect(files["/etc/orion/backup/settings"]?.text).toContain("GLOBALS='--no-role-passwords'");
    expect(files["/etc/orion/backup/settings"]?.text).toContain("APP_IMAGE='app:test'");
    expect(JSON.stringify(files["/etc/orion/backup/database.env"]?.text)).toContain(
      "PGSSLMODE=verify-full\\nPGSSLROOTCERT=/etc/provider-ca.crt\\n",
    );
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

  test("settings have the policy as the script reads it", () => {
    const text = `${settingsText(settings)}echo "$DAILY $WEEKLY $MONTHLY $LOCK_DAYS $LOSS_PERCENT $REPLICA_WAIT $RECIPIENT $FLUCTUATING"`;
    expect(spawnSync("sh", { input: text, encoding: "utf8" }).stdout).toBe(
      "7 5 12 14 20 300 age1public public.outbox public.events_*\n",
    );
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
    expect(backupService).toMatch(/^ExecStopPost=-\/usr\/local\/sbin\/orion-alert --stopped %n$/m);
    // A suspect backup has alerted, and is not taken again.
    expect(backupService).toMatch(/^SuccessExitStatus=3$/m);
  });
});
