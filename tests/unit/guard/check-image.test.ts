/** The check of an image: its script, what it reads of the answer, and when it is not asked again. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { askImage, checkKey, type ImageQuestion, readFacts, reasonFunction } from "../../../guard/check-image.ts";
import { requireFittingImage } from "../../../guard/fitting-image.ts";
import { variablesIn } from "../../../config/checks/environment.ts";
import { type Phase, phases, type SecretKey, type Settings } from "../../../config/schema.ts";
import type { Stack } from "../../../policy/program.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { stackOf } from "../policy/support.ts";
import { sharedGraph } from "../support/graphs.ts";
import { settingsOf } from "../support/settings.ts";

const base = stackOf("mvp", { app: { image: "registry.example.com/shop:1" } });
const question = { ...base, image: "registry.example.com/shop:1", secret: () => 'pa"ss-word' };

test("the script is one that a shell reads, with the login and the real secrets in no argument", async () => {
  const scripts: string[] = [];
  const login = { registry: "registry.example.com", user: "ci", password: "pass'word" };
  const on = (script: string) => {
    scripts.push(script);
    return Promise.resolve({ code: 0, stdout: "orion-unfit no\n", stderr: "", output: "" });
  };
  expect(await askImage(question, on, { login })).toEqual({ kind: "unfit", reason: "no" });
  const [script = ""] = scripts;
  expect(spawnSync("sh", ["-n"], { input: script }).status).toBe(0);
  const run = script.slice(script.indexOf("docker run"), script.indexOf("<<'ORION-INPUT'"));
  expect(run).toContain("--network none");
  expect(run).not.toContain("ss-word");
  expect(script.split("\n").filter((line) => line.includes("ss-word"))).toHaveLength(1);
});

/** The variables that an image is given when it is asked. */
async function variablesOf(stack: Stack, secret: ImageQuestion["secret"] = () => undefined) {
  let environment: Readonly<Record<string, string>> = {};
  let urls: readonly string[] = [];
  const on = (script: string) => {
    const [, input = "{}"] = /<<'ORION-INPUT'\n(.*)\nORION-INPUT/.exec(script) ?? [];
    ({ environment, urls } = JSON.parse(input) as { environment: typeof environment; urls: typeof urls });
    return Promise.resolve({ code: 0, stdout: "orion-unfit no\n", stderr: "", output: "" });
  };
  await askImage({ ...stack, image: question.image, secret }, on);
  return { environment, urls };
}

/** The variables of the first app as the program composes it. */
async function composedVariables(stack: Stack): Promise<string[]> {
  const { resources } = await sharedGraph(stack);
  const app = resources.find(({ inputs }) => JSON.stringify(inputs["command"] ?? "").includes('"uvicorn"'));
  const lines = app?.inputs["envs"] as readonly (string | { readonly "[secret]": string })[] | undefined;
  return (lines ?? [])
    .map((line) => (typeof line === "string" ? line : line["[secret]"]))
    .map((line) => line.replace(/=.*$/s, ""))
    .sort();
}

/** A variable of the stack's own for each that it has. */
const ownOf = (settings: Settings): Readonly<Record<string, string>> =>
  Object.fromEntries(variablesIn(settings).map((name) => [`OWN_${name}`, `\${${name}}`]));
const external = { mode: "external", availability: "single" };
const authority = "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----";
const movable = { movable: true, pooler: true, authority };
test.each<[Phase, Readonly<Record<string, unknown>>]>([
  ...phases.filter((phase) => phase !== "ha").map((phase): [Phase, Record<string, unknown>] => [phase, {}]),
  ["mvp", { storage: { bucket: "orion-files", customDomain: "files.example.com" } }],
  ["scale", { gateway: { enabled: false }, database: { pooler: false } }],
  ["mvp", { database: external }],
  ["mvp", { database: { ...external, movable: true } }],
  ["enterprise", { database: { ...movable, mode: "external" } }],
])("an image of phase %s with %j is given the variables of its app", async (phase, values) => {
  const secrets: SecretKey[] = JSON.stringify(values).includes("external") ? ["databaseUrl"] : [];
  const environment = ownOf(settingsOf(phase, values, secrets));
  const stack = stackOf(phase, { app: { image: question.image, environment }, ...values }, secrets);
  const asked = await variablesOf(stack);
  expect(Object.keys(asked.environment).sort()).toEqual(await composedVariables(stack));
});

test("the image is asked as the stack's user, at the stack's port", async () => {
  const scripts: string[] = [];
  const on = (script: string) => {
    scripts.push(script);
    return Promise.resolve({ code: 0, stdout: "orion-unfit no\n", stderr: "", output: "" });
  };
  await askImage({ ...question, ...stackOf("mvp", { app: { user: "1000:1000", port: 9000 } }) }, on);
  expect(scripts[0]).toMatch(/docker run .* --user 1000:1000 /);
  expect(scripts[0]).toMatch(/"port":9000/);
});

test("secrets are shown in no answer", async () => {
  const stdout = 'orion-unfit it said pa\\"ss-word and pa"ss-word\n';
  const on = () => Promise.resolve({ code: 0, stdout, stderr: "", output: "" });
  expect(await askImage(question, on)).toEqual({ kind: "unfit", reason: "it said [secret] and [secret]" });
});

test.each([
  ["the end of a traceback", "Traceback:\n  File x\nKeyError: 'A'\n\n", "KeyError: 'A'"],
  [
    "docker's reason, whatever advice follows it",
    "WARNING: no swap\ndocker: Error response from daemon: unable to find user web: no matching entries in passwd file\n\nRun 'docker run --help' for more information\n",
    "docker: Error response from daemon: unable to find user web: no matching entries in passwd file",
  ],
  ["nothing", "", ""],
])("the reason is %s", (_, printed, reason) => {
  const { stdout } = spawnSync("sh", ["-c", `${reasonFunction}\nreason`], { input: printed, encoding: "utf8" });
  expect(stdout.trimEnd()).toBe(reason);
});

test("a user whom the image does not know is refused, with docker's own reason", async () => {
  const bin = temporaryFolder("docker");
  const docker = `#!/bin/sh
[ "$1" = image ] && exit 0
printf 'docker: Error response from daemon: unable to find user web\\n\\nRun %s for more information\\n' "'docker run --help'" >&2
exit 125
`;
  writeFileSync(join(bin, "docker"), docker, { mode: 0o755 });
  const environment = { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
  const on = (script: string) => {
    const { status, stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8", env: environment });
    return Promise.resolve({ code: status ?? 1, stdout, stderr, output: stdout + stderr });
  };
  const facts = await askImage(question, on);
  const reason = "docker: Error response from daemon: unable to find user web";
  expect(facts).toEqual({ kind: "silent", reason });
});

test("an answer that is none says why", () => {
  expect(readFacts(255, "", "ssh: no route to host\n")).toEqual({ kind: "silent", reason: "ssh: no route to host" });
  expect(readFacts(undefined, "", "")).toEqual({ kind: "silent", reason: "it took too long" });
  expect(readFacts(0, "noise\norion-absent manifest unknown\n", "")).toEqual({
    kind: "absent",
    reason: "manifest unknown",
  });
});

const externalUrl =
  "postgresql://shop:s3cret@db.example.com:25060/defaultdb?sslmode=verify-full&sslrootcert=/etc/ca.crt";
const withExternal = (values: Readonly<Record<string, unknown>> = {}) =>
  stackOf("mvp", { database: external, ...values }, ["databaseUrl"]);

test("the key changes with what is judged, and with nothing else", async () => {
  const key = await checkKey(question);
  const plain = await checkKey({ ...question, ...stackOf("mvp") });
  const changed = (own: Readonly<Record<string, unknown>>, secrets: readonly SecretKey[] = []) =>
    checkKey({ ...question, ...stackOf("mvp", own, secrets) });
  expect(await checkKey({ ...question, secret: () => "another" })).toBe(key);
  expect(await checkKey({ ...question, image: "registry.example.com/shop:2" })).not.toBe(key);
  for (const own of [
    { app: { healthPath: "/up" } },
    { app: { user: "1000" } },
    { app: { port: 9000 } },
    { app: { environment: { A: "b" } } },
    { workers: { queues: ["celery"] } },
    { storage: { bucket: "orion-files", customDomain: "files.example.com" } },
    { email: { smtpHost: "mail.example.com" } },
  ])
    expect([own, await changed(own)]).not.toEqual([own, plain]);
  expect(await changed({ cache: { mode: "external" } }, ["redisUrl", "brokerUrl"])).not.toBe(plain);
  const ofDatabase = (url: string) => checkKey({ ...question, ...withExternal(), secret: () => url });
  expect(await ofDatabase(externalUrl)).not.toBe(plain);
  expect(await ofDatabase(externalUrl.replace("s3cret", "another"))).toBe(await ofDatabase(externalUrl));
  expect(await ofDatabase(externalUrl.replace("sslmode=verify-full&", ""))).not.toBe(await ofDatabase(externalUrl));
  // A gateway brings a URL for reads; a larger platform asks nothing else of its image.
  const scale = await checkKey({ ...question, ...stackOf("scale") });
  expect(scale).not.toBe(plain);
  const servers = { app: { servers: { count: 3, types: ["cpx31"] }, instances: 2 } };
  expect(await checkKey({ ...question, ...stackOf("scale", servers) })).toBe(scale);
});

test("of an external database the image is given a URL of the same form, and SQLAlchemy tries it whatever its name", async () => {
  const own = {
    ASYNC_URL: "postgresql+asyncpg://${DATABASE_URL#postgresql://}",
    PARTS: "postgresql+psycopg://${DATABASE_URL.user}@${DATABASE_URL.host}:${DATABASE_URL.port}/${DATABASE_URL.name}",
    NAME: "${DATABASE_URL.name}",
  };
  const stack = withExternal({ app: { image: question.image, environment: own } });
  const { environment, urls } = await variablesOf(stack, (name) => (name === "databaseUrl" ? externalUrl : undefined));
  const form = "check:check@127.0.0.1:25060/defaultdb?sslmode=verify-full&sslrootcert=/etc/ca.crt";
  expect(environment).toMatchObject({
    ...{ DATABASE_URL: `postgresql://${form}`, ASYNC_URL: `postgresql+asyncpg://${form}`, NAME: "defaultdb" },
  });
  expect(urls).toEqual(["DATABASE_URL", "DATABASE_DIRECT_URL", "ASYNC_URL", "PARTS"]);
  expect(JSON.stringify(environment)).not.toMatch(/s3cret|db\.example/);
});

test("an image that was asked with the same settings is not asked again, nor is the sample application", async () => {
  const before = { resources: [], uses: new Map() };
  const args = { ...base, secret: () => undefined, before, variables: "STACK=prod", isRehearsal: false };
  const key = await checkKey({ ...args, image: question.image });
  expect(await requireFittingImage({ ...args, checked: key })).toEqual({ key, notes: [] });
  expect(await requireFittingImage({ ...args, ...stackOf("mvp"), checked: undefined })).toEqual({ notes: [] });
});
