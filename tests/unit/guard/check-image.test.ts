/** The check of an image: its script, what it reads of the answer, and when it is not asked again. */
import { spawnSync } from "node:child_process";
import { askImage, checkKey, type ImageQuestion, readFacts } from "../../../guard/check-image.ts";
import { requireFittingImage } from "../../../guard/fitting-image.ts";
import { type Phase, phases } from "../../../config/schema.ts";
import type { Stack } from "../../../policy/program.ts";
import { stackOf } from "../policy/support.ts";
import { sharedGraph } from "../support/graphs.ts";

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

const ofEach = { POOL: "${DATABASE_POOL_SIZE}", READ: "${DATABASE_REPLICA_URL}" };
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
  const app = { image: question.image, environment: ofEach };
  const isExternal = JSON.stringify(values).includes("external");
  const stack = stackOf(phase, { app, ...values }, isExternal ? ["databaseUrl"] : []);
  const { environment } = await variablesOf(stack);
  expect(Object.keys(environment).sort()).toEqual(await composedVariables(stack));
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

test("an answer that is none says why", () => {
  expect(readFacts(255, "", "ssh: no route to host\n")).toEqual({ kind: "silent", reason: "ssh: no route to host" });
  expect(readFacts(undefined, "", "")).toEqual({ kind: "silent", reason: "it took too long" });
  expect(readFacts(0, "noise\norion-absent manifest unknown\n", "")).toEqual({
    kind: "absent",
    reason: "manifest unknown",
  });
});

test("the key changes with what is judged, and with nothing else", () => {
  const key = checkKey(question);
  const changed = (own: Readonly<Record<string, unknown>>) => checkKey({ ...question, ...stackOf("mvp", own) });
  expect(checkKey({ ...question, secret: () => "another" })).toBe(key);
  expect(checkKey({ ...question, image: "registry.example.com/shop:2" })).not.toBe(key);
  expect(changed({ app: { healthPath: "/up" } })).not.toBe(changed({}));
  expect(changed({ app: { user: "1000" } })).not.toBe(changed({}));
  expect(changed({ app: { port: 9000 } })).not.toBe(changed({}));
  expect(changed({ workers: { queues: ["celery"] } })).not.toBe(changed({}));
  // A larger platform asks nothing else of its image.
  expect(checkKey({ ...question, ...stackOf("scale") })).toBe(changed({}));
});

test("an image that was asked with the same settings is not asked again, nor is the sample application", async () => {
  const before = { resources: [], uses: new Map() };
  const args = { ...base, secret: () => undefined, before, variables: "STACK=prod" };
  const key = checkKey({ ...args, image: question.image });
  expect(await requireFittingImage({ ...args, checked: key })).toEqual({ key, notes: [] });
  expect(await requireFittingImage({ ...args, ...stackOf("mvp"), checked: undefined })).toEqual({ notes: [] });
});
