/** The question to external services: its script, and what is read of the answers. */
import { spawnSync } from "node:child_process";
import { askExternal, externalKeys } from "../../../guard/check-external.ts";
import { requireFittingExternal } from "../../../guard/fitting-external.ts";
import { isFacts } from "../../../policy/external-service.ts";
import { settingsOf } from "../support/settings.ts";

const secrets = ["databaseUrl", "redisUrl", "brokerUrl"] as const;
const settings = settingsOf("mvp", { database: { mode: "external" }, cache: { mode: "external" } }, secrets);
const urls = {
  databaseUrl: "postgresql://app:pass%27word@db.example.com/shop?sslmode=verify-full&sslrootcert=/app/ca.pem",
  brokerUrl: "rediss://app:pass-word@redis.example.com/1?ssl_cert_reqs=required",
};
const answering = (stdout: string, code = 0) => {
  const scripts: string[] = [];
  const on = (script: string) => {
    scripts.push(script);
    return Promise.resolve({ code, stdout, stderr: "", output: stdout });
  };
  return { scripts, engine: { on, isHere: true, appImage: "shop:1" } };
};

test("the scripts are ones that a shell reads, with the password in one line that is no argument", async () => {
  const { scripts, engine } = answering("absent manifest unknown\n");
  await askExternal(settings, urls, engine);
  expect(scripts).toHaveLength(2);
  for (const script of scripts) {
    expect(spawnSync("sh", ["-n"], { input: script }).status).toBe(0);
    const lines = script.split("\n").filter((line) => /pass.*word/.test(line) && !/password/.test(line));
    expect(lines).toEqual([expect.stringMatching(/^\{ printf /)]);
  }
  expect(scripts[0]).toMatch(/--entrypoint cat 'shop:1' '?\/app\/ca.pem/);
});

test("what nobody could ask stops nothing, and no password is shown", async () => {
  const { engine } = answering("problem it said pass'word and pass%27word\n");
  const { database } = await askExternal(settings, urls, engine);
  expect(database).toMatchObject({ problem: "it said [secret] and [secret]", unasked: false });
  const absent = await askExternal(settings, urls, answering("absent manifest unknown\n").engine);
  expect(absent.database).toMatchObject({ problem: "manifest unknown", unasked: true });
  const silent = await askExternal(settings, urls, answering("", 255).engine);
  expect(silent.database).toMatchObject({ problem: "its client ended with code 255", unasked: true });
});

test("answers are read: processes that sessions share, round trips, limits", async () => {
  const said = [
    "client psql (PostgreSQL) 15.20",
    "first 30000",
    "next 20000",
    "round 1.5",
    "outer 7",
    "inner 8",
    "outer 7",
  ];
  const facts = [
    "version 150020",
    "standby false",
    "readonly on",
    "roleLimit -1",
    "databaseLimit 20",
    "extension pg_trgm true true",
  ];
  const read = async (lines: readonly string[]) => {
    const { database } = await askExternal(settings, urls, answering(lines.join("\n")).engine);
    if (!database || !isFacts(database)) throw new Error("no facts");
    return database;
  };
  expect(await read([...said, ...facts])).toMatchObject({
    ...{ firstMs: 30, nextMs: [20], roundMs: [1.5], pooled: false, version: 150_020, readOnly: true },
    ...{ roleLimit: undefined, databaseLimit: 20, clientMajor: 15 },
    extensions: [{ name: "pg_trgm", installed: true, trusted: true }],
  });
  expect((await read([...said, "inner 7"])).pooled).toBe(true);
  expect((await read([...said, "outer 9"])).pooled).toBe(true);
});

test("a stack without external services asks nobody", async () => {
  const own = settingsOf("mvp");
  expect(externalKeys(own)).toEqual([]);
  const before = { resources: [], uses: new Map() };
  const args = { urls: {}, before, variables: "STACK=prod", isRehearsal: false, appImage: undefined };
  expect(await requireFittingExternal({ ...args, settings: own })).toEqual([]);
});

test("before a rehearsal has servers nobody is asked: this machine is not on the cloud's Internet, and nothing is agreed to", async () => {
  const before = { resources: [], uses: new Map() };
  const args = { settings, urls, before, variables: "STACK=prod REHEARSAL=1", isRehearsal: true, appImage: undefined };
  expect(await requireFittingExternal(args)).toEqual(["External services are asked once the rehearsal has servers."]);
});
