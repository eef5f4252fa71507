/** Which way each image comes onto a machine, on one whose docker only says what it is told to say. */
import { writeFileSync } from "node:fs";
import type { Run } from "../../../common/process.ts";
import { baseImage, type ImageChoices, madeOnServers, officialImages } from "../../../config/images.ts";
import { ensureImages, type EnsureOptions, imageNames } from "../../../images/ensure.ts";
import { ownImage } from "../../../images/own.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { type Answer, runBy } from "../support/process.ts";

const root = process.cwd();
const app = ownImage(root, "app", baseImage());
const madeThere = madeOnServers.map((kind) => ownImage(root, kind, baseImage({}, kind)));

let cache: string;
beforeEach(() => {
  cache = temporaryFolder("ensure");
});

/**
 * A machine that has these images, whose `docker pull` answers as told. The Debian below the equivalents is there under
 * whatever name it is asked for, so that nothing has to be bootstrapped.
 */
function machine(present: readonly string[], pull: Answer): { run: Run; calls: string[][] } {
  const calls: string[][] = [];
  const run = runBy(({ program: command, args }) => {
    const [verb = ""] = args;
    calls.push([command, ...args]);
    if (command !== "docker") return { code: 1 };
    switch (verb) {
      case "image": {
        const has = (name: string) => present.includes(name) || name.startsWith("orion/debian");
        const lines = args.slice(4).filter(has);
        const stdout = lines.map((name) => `["sha256:1",${JSON.stringify([name])},[],{}]`).join("\n");
        return { code: lines.length === args.slice(4).length ? 0 : 1, stdout, output: "No such image" };
      }
      case "pull":
        return pull;
      case "build":
        writeFileSync(args[args.indexOf("--iidfile") + 1] ?? "", "sha256:built");
        return {};
      default:
        return { code: verb === "buildx" ? 1 : 0 };
    }
  });
  return { run, calls };
}

const ensure = (runner: Run, options: Partial<EnsureOptions> = {}) =>
  ensureImages({ root, cache, runner, names: ["redis"], ...options });
const verbs = (calls: readonly string[][]): string[] => calls.map(([, verb = ""]) => verb);

test("when all are there, one docker command is all that runs", async () => {
  const { run, calls } = machine(
    [
      ...Object.values(officialImages),
      baseImage(),
      app.reference,
      ownImage(root, "docs", baseImage()).reference,
      ...madeThere.map(({ reference }) => reference),
    ],
    {},
  );
  const images = await ensure(run, { names: imageNames });
  expect(images.map(({ source }) => source)).toEqual(imageNames.map(() => "present"));
  expect(verbs(calls)).toEqual(["image"]);
});

test("an official image is pulled where its registry answers", async () => {
  const { run, calls } = machine([], { code: 0 });
  expect(await ensure(run)).toMatchObject([{ reference: officialImages.redis, source: "pulled" }]);
  expect(verbs(calls)).toEqual(["image", "pull"]);
});

test.each([
  ["does not exist", { code: 1, output: "dial tcp: lookup registry-1.docker.io: no such host" }],
  ["says nothing", { code: undefined }],
])("where the registry %s, an equivalent is built under the same name, and it is said why", async (_, pull) => {
  const { run, calls } = machine([], pull);
  const [redis] = await ensure(run);
  expect(redis).toMatchObject({ reference: officialImages.redis, source: "built" });
  expect(redis?.note).toMatch(/no such host|did not respond within/);
  expect(calls.at(-1)).toEqual(["docker", "tag", "sha256:built", officialImages.redis]);
});

test("a registry that was unreachable once is not asked for every image", async () => {
  const { run, calls } = machine([], { code: undefined });
  await ensure(run, { names: ["redis", "postgres", "nginx"] });
  expect(verbs(calls).filter((verb) => verb === "pull")).toHaveLength(1);
});

test.each<[string, ImageChoices]>([
  ["another image", { overrides: { redis: "redis:no-such-tag" } }],
  ["a registry", { registry: "registry.example.com" }],
])("nothing takes the place of %s that somebody chose", async (_, choices) => {
  const { run, calls } = machine([], { code: 1, output: "manifest unknown" });
  await expect(ensure(run, { choices })).rejects.toThrow(
    /'\S+' cannot be pulled: manifest unknown\nIt comes from orion:images/,
  );
  expect(verbs(calls)).not.toContain("build");
});

test("an own image is built on its base, and told its version", async () => {
  const { run, calls } = machine([officialImages.python], {});
  expect(await ensure(run, { names: ["app"] })).toMatchObject([{ reference: app.reference, source: "built" }]);
  const build = calls.find(([, verb]) => verb === "build");
  expect(build).toEqual(
    expect.arrayContaining([`PYTHON_IMAGE=${officialImages.python}`, `APP_VERSION=${app.version}`]),
  );
  expect(app.reference).toBe(`orion/sample-app:${app.version}`);
});

test("a check changes nothing and says what is missing", async () => {
  const { run, calls } = machine([], {});
  expect(await ensure(run, { check: true })).toMatchObject([{ source: "missing" }]);
  expect(verbs(calls)).toEqual(["image"]);
});

test("a Docker Engine that does not run is named, with what to do", async () => {
  const run = runBy(() => ({ code: 1, output: "Cannot connect to the Docker daemon" }));
  await expect(ensure(run)).rejects.toThrow(/does not answer: Cannot connect to the Docker daemon\nStart it/);
});

test("one that fails lets the others end, and every failure is said", async () => {
  const { run } = machine([], { code: 1, output: "manifest unknown" });
  const overrides = { redis: "redis:none", nginx: "nginx:none" };
  const ensured = ensure(run, { names: ["redis", "nginx"], choices: { overrides } });
  await expect(ensured).rejects.toThrow("'redis:none' cannot be pulled");
  await expect(ensured).rejects.toThrow("'nginx:none' cannot be pulled");
});
