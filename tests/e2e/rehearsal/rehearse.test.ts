/** `make rehearse`: the production stack as it stands in this repository, on a cloud with real machines. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { cloudFolder, rehearsalFolder } from "../../../rehearsal/cloud/settings.ts";
import { RehearsalCloud } from "../support/cloud.ts";
import { hostState } from "../support/host.ts";
import { succeed } from "../support/sandbox.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(900_000);

const own = { name: "rehearse", block: 81 };
const before = hostState(own);
const cloud = new RehearsalCloud(root, { ...own, port: 8485, machines: "docker" });
const folder = rehearsalFolder(root, own.name, "prod");
const tools = ["REHEARSAL=1"];

/** What somebody has set who works with real accounts: none of it may matter. */
const real = {
  HCLOUD_TOKEN: "real".repeat(16),
  CLOUDFLARE_API_TOKEN: "real".repeat(10),
  CLOUDFLARE_BASE_URL: "http://192.0.2.1/",
  PULUMI_BACKEND_URL: "file:///nonexistent/real",
  PULUMI_CONFIG_PASSPHRASE: "real",
};
const statePath = join(root, ".orion", "state", ".pulumi", "stacks", "orion", "prod.json");
const realState = () => (existsSync(statePath) ? readFileSync(statePath, "utf8") : "none");
const stateBefore = realState();
let report: string;

/** Runs a command of the shell in the project's folder. */
function sh(command: string, environment: Readonly<Record<string, string>> = {}): string {
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: root, env, encoding: "utf8" });
  return succeed({ code: status ?? 1, output: stdout + stderr });
}

/** The command of the report that visits the platform, to be ended with more arguments and a path. */
const curl = (): string => {
  const [command] = /curl --resolve .*https:\/\/orion\.example\.com/.exec(report) ?? [];
  if (command === undefined) throw new Error(`the report says no curl:\n${report}`);
  return command.replace("curl", "curl --silent --fail --show-error");
};

/** Every file below a folder. */
const filesOf = (at: string): string[] =>
  readdirSync(at, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );

beforeAll(() => {
  report = cloud.rehearse("mvp", real);
});

afterAll(() => {
  cloud.dispose();
});

test("the platform answers through the edge, by the command that the report says", () => {
  expect(report).toContain("is up in phase mvp on the rehearsal cloud 'rehearse'");
  expect(report).toContain("orion/sample-app:");
  expect(sh(`${curl()}/health`)).toContain("ok");
});

test("files go to the cloud's object storage and come back", () => {
  const answer = sh(`echo hello | ${curl()}/uploads --form 'file=@-;filename=greeting.txt'`);
  const [, key = ""] = /"key": *"([^"]+)"/.exec(answer) ?? [];
  expect(sh(`${curl()}/uploads/${key}`)).toBe("hello\n");
  expect(filesOf(join(cloudFolder(root, own.name), "objects")).some((path) => path.endsWith(key))).toBe(true);
});

test("done again, it changes nothing, and neither does a look at what is really there", () => {
  expect(cloud.rehearse("mvp", real)).toMatch(/Resources:\n +\d+ unchanged\n/);
  sh(`npx pulumi -C '${folder}' preview --refresh --expect-no-changes --stack prod`, real);
});

test("the commands reach it with REHEARSAL=1", () => {
  expect(succeed(cloud.runMake("doctor", tools, real))).toContain("All of 'prod' is well.");
  const psql = `echo 'SELECT count(*) FROM alembic_version' | make --no-print-directory psql REHEARSAL=1 CLOUD=${own.name}`;
  expect(sh(psql)).toMatch(/^ +1$/m);
});

test("the real stack is not touched, and no file of the rehearsal has the token in clear text", () => {
  expect(realState()).toBe(stateBefore);
  const { token } = cloud.settings;
  const files = filesOf(folder);
  expect(files.some((path) => path.endsWith("stacks/orion/prod.json"))).toBe(true);
  expect(files.filter((path) => readFileSync(path, "utf8").includes(token))).toEqual([]);
});

test("it goes with its cloud", () => {
  cloud.down();
  expect(existsSync(cloudFolder(root, own.name))).toBe(false);
  const { code, output } = cloud.runMake("doctor", tools);
  expect(code).not.toBe(0);
  expect(output).toContain("make rehearse STACK=prod CLOUD=rehearse");
  expect(hostState(own)).toEqual(before);
});
