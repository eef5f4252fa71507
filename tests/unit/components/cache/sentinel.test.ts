/** Redis with Sentinel: who names the master, what each server is told, and what no update may change. */
import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memberScripts } from "../../../../components/cache/member-scripts.ts";
import { configCommand, redisConfig } from "../../../../components/cache/redis-config.ts";
import { downAfterSeconds, type GroupMember, replicaLagSeconds } from "../../../../components/cache/redis-group.ts";
import { redisScripts } from "../../../../components/cache/redis-scripts.ts";
import { sentinelSecretFiles, sentinelSettingFiles } from "../../../../components/cache/sentinel-files.ts";
import { groupSettings, sentinelUsers } from "../../../../components/cache/sentinel-config.ts";
import { aclText } from "../../../../components/cache/users.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

const at = (host: string, port = 26379) => ({ host, port });
const group = {
  ...{ name: "cache", first: at("10.20.1.11", 6381) },
  sentinels: [at("10.20.1.11"), at("10.20.1.32"), at("10.20.1.33")],
};
const member: GroupMember = { group, own: at("10.20.1.32", 6381) };
const settings = { use: "cache", maxMemoryMb: 64, tls: true, formerClients: false, member } as const;

describe("the master that most of the Sentinels name", () => {
  /** Runs the script with a `redis-cli` that answers by the Sentinel's host. */
  const ask = (answers: Readonly<Record<string, string>>) => {
    const folder = temporaryFolder("master");
    const program = Object.entries(answers).map(([host, answer]) => `${host}) printf '${answer}' ;;`);
    writeFileSync(join(folder, "redis-cli"), `#!/bin/sh\ncase $2 in\n${program.join("\n")}\n*) exit 1 ;;\nesac\n`);
    chmodSync(join(folder, "redis-cli"), 0o755);
    writeFileSync(join(folder, "server-password"), "password");
    writeFileSync(join(folder, "master"), memberScripts(member)["master"] ?? "");
    const env = { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
    const { status, stdout } = spawnSync("sh", [join(folder, "master"), "cache"], { encoding: "utf8", env });
    return { status, stdout };
  };
  const [one, two] = ["10.20.1.11\\n6381\\n", "10.20.1.32\\n6381\\n"];

  test("is the one that two of three name", () => {
    expect(ask({ "10.20.1.11": one, "10.20.1.32": two, "10.20.1.33": two })).toEqual({
      ...{ status: 0, stdout: "10.20.1.32 6381\n" },
    });
  });

  test.each([
    ["one Sentinel alone", { "10.20.1.11": one }],
    ["two that differ", { "10.20.1.11": one, "10.20.1.32": two }],
    ["no answer at all", {}],
    ["Sentinels that know no master", { "10.20.1.11": "\\n", "10.20.1.32": "\\n", "10.20.1.33": "\\n" }],
    ["refusals", { "10.20.1.11": "NOPERM no\\n", "10.20.1.32": "NOPERM no\\n" }],
  ])("is nobody for %s", (_, answers) => {
    expect(ask(answers)).toEqual({ status: 1, stdout: "" });
  });
});

test("no configuration of a server says whom it follows: that is the Sentinels' to say", () => {
  const texts = [redisConfig(settings), configCommand(settings), redisScripts(member)["reload"] ?? ""];
  for (const text of texts) expect(text).not.toMatch(/replicaof|slaveof/i);
});

test("a master that no replica hears stops taking writes before a Sentinel can call it down", () => {
  // Whole seconds, looked at once a second.
  expect(replicaLagSeconds + 2).toBeLessThanOrEqual(downAfterSeconds);
  expect(redisConfig(settings)).toMatch(/^min-replicas-max-lag 3$/m);
  // Set when there are replicas, or the first master would refuse writes while they are only about to come.
  expect(redisConfig(settings)).not.toMatch(/min-replicas-to-write/);
});

test("replicas announce their private address, and log in over TLS", () => {
  expect(redisConfig(settings)).toMatch(/^replica-announce-ip 10\.20\.1\.32$/m);
  expect(redisConfig(settings)).toMatch(/^replica-announce-port 6381$/m);
  expect(redisConfig(settings)).toMatch(/^tls-replication yes$/m);
  expect(redisConfig(settings)).toMatch(/^include \/etc\/orion\/redis\/current\/replication\.conf$/m);
});

test("a replica that needs all data gets it at once: until then a new master may have no other", () => {
  expect(redisConfig(settings)).toMatch(/^repl-diskless-sync-delay 0$/m);
});

test("a Redis without Sentinels has none of it", () => {
  const alone = { ...settings, member: undefined };
  expect(redisConfig(alone)).not.toMatch(/repl|include/);
  expect(Object.keys(redisScripts())).not.toEqual(expect.arrayContaining(["master"]));
});

describe("Sentinel", () => {
  const passwords = { peer: "pw-p", server: "pw-s", gateway: "pw-g", monitor: "pw-m", admin: "pw-a" };

  test("is told a first master, and how to watch the group", () => {
    const files = sentinelSettingFiles([group], at("10.20.1.33"));
    expect(files["first.conf"]).toBe("sentinel monitor cache 10.20.1.11 6381 2\n");
    expect(files["base.conf"]).toMatch(/^sentinel announce-ip 10\.20\.1\.33$/m);
    expect(files["base.conf"]).toMatch(/^port 0$/m);
    expect(groupSettings([group], "pw-p", { cache: "pw-cache" })).toMatch(/^sentinel auth-pass cache pw-cache$/m);
  });

  test("lets nobody in without a password, and nobody but people change what it watches", () => {
    const text = aclText(sentinelUsers(passwords));
    expect(text).toMatch(/^user default off *$/m);
    expect(text).not.toContain("pw-");
    for (const user of ["peer", "server", "gateway", "monitor"]) {
      const line = text.split("\n").find((one) => one.startsWith(`user ${user} `)) ?? "";
      expect(line).toContain(" on #");
      expect(line).not.toMatch(/@all|sentinel\|(set|monitor|remove|reset)|\+sentinel( |$)/);
    }
  });

  test("keeps what it has learnt when its settings change, and else takes the first master", () => {
    const folder = temporaryFolder("compose");
    const tls = { certificate: "c", privateKey: "k", authority: "a" };
    const secrets = { groups: [group], passwords, roles: { cache: "pw-cache" }, tls };
    const files = {
      ...sentinelSettingFiles([group], at("10.20.1.33")),
      ...Object.fromEntries(Object.entries(sentinelSecretFiles).map(([name, textOf]) => [name, textOf(secrets)])),
      // No Sentinel answers.
      master: "exit 1\n",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const compose = () =>
      spawnSync("sh", [join(folder, "compose"), folder, join(folder, "state")], { encoding: "utf8" }).stdout.split(
        "\n",
      );
    expect(compose()).toContain("sentinel monitor cache 10.20.1.11 6381 2");
    const learnt = [
      ...["sentinel myid 1234", "sentinel monitor cache 10.20.1.32 6381 2", "sentinel config-epoch cache 7"],
      ...["sentinel known-replica cache 10.20.1.11 6381", "sentinel current-epoch 7"],
    ];
    const former = ["sentinel down-after-milliseconds cache 30000", "tls-port 1"];
    writeFileSync(join(folder, "state"), `${[...learnt, ...former].join("\n")}\n`);
    const again = compose();
    expect(again).toEqual(expect.arrayContaining(learnt));
    expect(again).not.toContain("sentinel monitor cache 10.20.1.11 6381 2");
    expect(again).not.toEqual(expect.arrayContaining([former[0]]));
    expect(again).toContain("sentinel down-after-milliseconds cache 5000");
  });
});
