/** States in an S3 bucket and in files, by the real engine against a real S3 server: moves there and back, and locks that are left. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join, resolve } from "node:path";
import { parse } from "yaml";
import { stateOf } from "../../../guard/backend.ts";
import { S3Server } from "../../../rehearsal/cloudflare/objects/s3-server.ts";
import { ensureProgram, storage } from "../../../rehearsal/programs/programs.ts";
import { eventually } from "../../../testing/eventually.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { freePort } from "../../../common/ports.ts";
import { moveState } from "../../../tools/move-state.ts";
import { noteOwner } from "../../../tools/recovery/ci-owner.ts";
import { lockStore, removeStaleLock } from "../../../tools/recovery/state-lock.ts";
import { foldersOf, storeAt } from "../../../tools/state-store.ts";

jest.setTimeout(300_000);

const project = resolve(__dirname, "..", "..", "..");
const usual = process.env;
let s3: S3Server;
const objects = temporaryFolder("objects");
let github: Server;
/** Whether GitHub says that the run is over. */
let runStatus = "completed";
let root: string;
let bucket: string;
let said: string[];
const say = (line: string): void => {
  said.push(line);
};

// The server may have to be built first.
beforeAll(async () => {
  const program = await ensureProgram(storage, { root: project });
  s3 = new S3Server({ program, folder: objects, port: await freePort(), token: "any" });
  await s3.start();
  await s3.createBucket("orion-state");
  await s3.setKeys([{ id: "the-id", secret: "the-secret", buckets: [{ name: "orion-state", write: true }] }]);
  github = createServer((_, response) => {
    response.end(JSON.stringify({ status: runStatus, updated_at: new Date(Date.now() + 60_000).toISOString() }));
  });
  await new Promise<void>((done) => github.listen(0, "127.0.0.1", done));

  root = temporaryFolder("state-move");
  symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: "orion", type: "module" }));
  writeFileSync(
    join(root, "Pulumi.yaml"),
    JSON.stringify({ name: "orion", runtime: { name: "nodejs", options: { typescript: false } }, main: "index.ts" }),
  );
  writeFileSync(
    join(root, "index.ts"),
    `import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
if (new pulumi.Config("orion").get("hang")) await new Promise((done) => setTimeout(done, 120_000));
export const secret = new RandomPassword("secret", { length: 12 }).result;
`,
  );
  const own = Object.entries(usual).filter(([name]) => !/^(PULUMI_(?!HOME)|AWS_|GITHUB_|npm_)/.test(name));
  const { port } = github.address() as AddressInfo;
  process.env = {
    ...Object.fromEntries(own),
    PATH: [join(project, "node_modules", ".bin"), usual["PATH"]].join(delimiter),
    ...{ PULUMI_CONFIG_PASSPHRASE: "probe", AWS_ACCESS_KEY_ID: "the-id", AWS_SECRET_ACCESS_KEY: "the-secret" },
    ...{ GITHUB_API_URL: `http://127.0.0.1:${port}`, GITHUB_REPOSITORY: "orion/platform", GITHUB_TOKEN: "token" },
  };
  bucket = `s3://orion-state?endpoint=${s3.endpoint}&region=auto&s3ForcePathStyle=true`;
  pulumi("stack", "init");
  pulumi("up", "--yes", "--skip-preview");
}, 900_000);
afterAll(async () => {
  process.env = usual;
  github.close();
  await s3.stop();
});
beforeEach(() => {
  said = [];
});

function pulumi(...args: string[]): string {
  const named = args[1] === "init" ? [...args, "prod"] : [...args, "--stack", "prod"];
  const { status, stdout, stderr } = spawnSync("pulumi", named, { cwd: root, encoding: "utf8", env: process.env });
  if (status !== 0) throw new Error(stdout + stderr);
  return stdout;
}
const secret = () => pulumi("stack", "output", "secret", "--show-secrets").trim();
const updates = () => (JSON.parse(pulumi("stack", "history", "--json")) as unknown[]).length;
const urlInFile = (): unknown =>
  (parse(readFileSync(join(root, "Pulumi.prod.yaml"), "utf8")) as { config?: Record<string, unknown> }).config?.[
    "orion:stateUrl"
  ];
const stateFile = () => join(root, ".orion", "state", ".pulumi", "stacks", "orion", "prod.json");

test("from files into a bucket and back, with its secrets and its history; the old state is kept and not used", async () => {
  const before = { secret: secret(), updates: updates() };
  const bytes = readFileSync(stateFile());
  // Below a folder of the bucket, as several projects share one.
  const url = bucket.replace("orion-state", "orion-state/team");
  await moveState(root, "prod", url, say);
  expect(urlInFile()).toBe(url);
  expect({ secret: secret(), updates: updates() }).toEqual(before);
  expect(existsSync(stateFile())).toBe(false);
  const files = storeAt(`file://${root}/.orion/state`);
  const kept = (await files?.list(foldersOf("prod").moved))?.find((name) => name.endsWith("/prod.json")) ?? "";
  expect(await files?.read(kept)).toEqual(bytes);

  pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  expect(stateOf(root, "prod")?.resources).toHaveLength(3);
  await moveState(root, "prod", "files", say);
  expect(urlInFile()).toBeUndefined();
  expect({ secret: secret(), updates: updates() }).toEqual({ ...before, updates: before.updates + 1 });
  await expect(moveState(root, "prod", "files", say)).rejects.toThrow("is at file:");
});

test("a place that has a state already keeps it, and a place that cannot be used changes nothing", async () => {
  const other = temporaryFolder("other");
  mkdirSync(join(other, ".pulumi", "stacks", "orion"), { recursive: true });
  const theirs = join(other, ".pulumi", "stacks", "orion", "prod.json");
  writeFileSync(join(other, ".pulumi", "meta.yaml"), "version: 1\n");
  writeFileSync(theirs, readFileSync(stateFile()));
  await expect(moveState(root, "prod", `file://${other}`, say)).rejects.toThrow("it is not overwritten");
  const nowhere = bucket.replace("orion-state", "no-such-bucket");
  await expect(moveState(root, "prod", nowhere, say)).rejects.toThrow(/cannot use|no bucket/);
  await expect(moveState(root, "prod", "ftp://here", say)).rejects.toThrow("TO: got 'ftp://here', allowed:");
  process.env["AWS_ACCESS_KEY_ID"] = "";
  await expect(moveState(root, "prod", bucket, say)).rejects.toThrow("set AWS_ACCESS_KEY_ID");
  process.env["AWS_ACCESS_KEY_ID"] = "the-id";
  expect(urlInFile()).toBeUndefined();
  expect(existsSync(stateFile())).toBe(true);
  expect(secret()).toHaveLength(12);
});

test("a folder with more files than one answer lists is listed whole", async () => {
  const folder = join(objects, "objects", "orion-state", "many");
  mkdirSync(folder, { recursive: true });
  const names = Array.from({ length: 1100 }, (_, index) => `many/a & b ${index}.json`);
  for (const name of names) writeFileSync(join(folder, name.slice("many/".length)), "{}");
  const store = storeAt(bucket);
  expect(await store?.list("many/")).toEqual(names.sort());
  expect((await store?.read("many/a & b 7.json"))?.toString()).toBe("{}");
});

describe("a lock in the bucket", () => {
  beforeAll(() => moveState(root, "prod", bucket, say));
  const locks = () => lockStore(root, "prod")?.list(foldersOf("prod").locks);
  const lockOf = (hostname: string) =>
    lockStore(root, "prod")?.write(
      `${foldersOf("prod").locks}left.json`,
      Buffer.from(JSON.stringify({ pid: 7, username: "runner", hostname, timestamp: new Date().toISOString() })),
    );
  const ci = {
    GITHUB_ACTIONS: "true",
    GITHUB_REPOSITORY: "orion/platform",
    GITHUB_RUN_ID: "42",
    GITHUB_RUN_ATTEMPT: "2",
  };
  afterEach(async () => {
    const store = lockStore(root, "prod");
    for (const name of [...((await locks()) ?? []), foldersOf("prod").owner]) await store?.remove(name);
  });

  test("of an engine that was killed here is removed, and the update goes on", async () => {
    pulumi("config", "set", "orion:hang", "true");
    // The engine below its wrapper, in a process group of its own.
    const engine: ChildProcess = spawn("pulumi", ["up", "--yes", "--skip-preview", "--stack", "prod"], {
      ...{ cwd: root, detached: true, stdio: "ignore" as const, env: process.env },
    });
    await eventually(async () => {
      expect(await locks()).toHaveLength(1);
    });
    await expect(removeStaleLock(root, "prod", say)).rejects.toThrow(/is running \(process \d+/);
    await expect(moveState(root, "prod", "files", say)).rejects.toThrow(/is running \(process \d+/);
    process.kill(-(engine.pid ?? 0), "SIGKILL");
    await once(engine, "exit");
    pulumi("config", "rm", "orion:hang");
    await eventually(() => removeStaleLock(root, "prod", say));
    expect(said).toEqual(["A lock of an update that no longer runs was removed."]);
    expect(await locks()).toEqual([]);
    pulumi("up", "--yes", "--skip-preview");
  });

  test("of another machine is explained and stays", async () => {
    await lockOf("elsewhere");
    await expect(removeStaleLock(root, "prod", say)).rejects.toThrow(
      /process 7 of runner on elsewhere, since .*cannot be found out from here.*npx pulumi cancel --stack prod/,
    );
    expect(await locks()).toHaveLength(1);
  });

  test("of a run of GitHub Actions stays as long as the run goes on, and goes when it is over", async () => {
    const store = lockStore(root, "prod");
    if (!store) throw new Error("the state is in a bucket");
    await noteOwner(store, "prod", ci, "runner-1");
    await lockOf("runner-1");
    runStatus = "in_progress";
    await expect(removeStaleLock(root, "prod", say)).rejects.toThrow(
      "in the run https://github.com/orion/platform/actions/runs/42/attempts/2",
    );
    expect(await locks()).toHaveLength(1);
    runStatus = "completed";
    await removeStaleLock(root, "prod", say);
    expect(said).toEqual([expect.stringMatching(/runs\/42\/attempts\/2, which is over was removed/)]);
    expect(await locks()).toEqual([]);
  });

  test("that is older than the run's note, or of another host, is not that run's", async () => {
    const store = lockStore(root, "prod");
    if (!store) throw new Error("the state is in a bucket");
    await lockOf("runner-1");
    await new Promise((done) => setTimeout(done, 5));
    await noteOwner(store, "prod", ci, "runner-1");
    await expect(removeStaleLock(root, "prod", say)).rejects.toThrow("process 7 of runner on runner-1");
    await lockOf("runner-2");
    await expect(removeStaleLock(root, "prod", say)).rejects.toThrow("process 7 of runner on runner-2");
    expect(await locks()).toHaveLength(1);
  });
});
