/** What is called behind, by how much, and what is written. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseImagePins } from "../../../../config/images.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { type Answers, askForDigests, imageItems, newPins, writePins } from "../../../../tools/outdated/images.ts";
import { priceItem, rangesItem } from "../../../../tools/outdated/lists.ts";
import { directModules, goItems, npmItems, pinsIn, pipItems } from "../../../../tools/outdated/packages.ts";
import { distance, reportOf } from "../../../../tools/outdated/report.ts";
import { serverItem } from "../../../../tools/outdated/servers.ts";
import { readStatus } from "../../../../tools/patch/server-status.ts";
import { runBy } from "../../support/process.ts";

const now = new Date("2026-11-29T12:00:00Z");
const digest = (digits: string) => `sha256:${digits.repeat(32)}`;

describe("images", () => {
  const answers: Answers = new Map([
    ["postgres", { digest: digest("12") }],
    ["redis", { digest: digest("34") }],
    ["nginx", { digest: digest("56") }],
    ["rclone", { why: "no answer in time" }],
  ]);
  const pins = {
    postgres: { digest: digest("12"), date: "2026-11-01" },
    redis: { digest: digest("99"), date: "2026-11-01" },
    rclone: { digest: digest("78"), date: "2026-10-01" },
  };

  test("are behind when their tag has other contents, or no digest is pinned", () => {
    expect(imageItems(answers, pins, now)).toEqual([
      { kind: "image", name: "postgres:15-bookworm", current: "121212121212", state: "current" },
      {
        ...{ kind: "image", name: "redis:7-bookworm", current: "999999999999", latest: "343434343434" },
        ...{ state: "behind", note: "pinned 28 days ago, and renewed since" },
      },
      {
        ...{ kind: "image", name: "nginx:1-bookworm", current: "tag only", latest: "565656565656" },
        ...{ state: "behind", note: "no digest is pinned" },
      },
      {
        ...{ kind: "image", name: "rclone/rclone:1", current: "787878787878" },
        ...{ state: "unknown", note: "no answer in time; pinned 59 days ago" },
      },
    ]);
  });

  test("get today's digests; what was not answered for keeps what it had", () => {
    const root = temporaryFolder("pins");
    mkdirSync(join(root, "config"));
    writePins(root, newPins(answers, pins, now));
    expect(parseImagePins(JSON.parse(readFileSync(join(root, "config", "image-pins.json"), "utf8")))).toEqual({
      postgres: { digest: digest("12"), date: "2026-11-29" },
      redis: { digest: digest("34"), date: "2026-11-29" },
      nginx: { digest: digest("56"), date: "2026-11-29" },
      rclone: pins.rclone,
    });
  });

  test("are asked for at the stack's mirror, except those that it replaces", async () => {
    const images = { pinned: true, registry: "mirror.example.com", redis: "own/redis:1" };
    const asked = await askForDigests(images, (reference) =>
      reference.includes("nginx") ? Promise.reject(new Error("no")) : Promise.resolve(reference),
    );
    expect(asked.get("postgres")).toEqual({ digest: "mirror.example.com/postgres:15-bookworm" });
    expect(asked.get("nginx")).toEqual({ why: "no" });
    expect(asked.has("redis")).toBe(false);
  });
});

test.each([
  ["1.2.3", "1.2.3", undefined],
  ["1.2.3", "1.2.4", "1 patch version"],
  ["1.2.3", "1.4.0", "2 minor versions"],
  ["v1.2.3", "v3.0.0", "2 major versions"],
  ["2.0.0", "1.9.9", undefined],
  ["2026.10.18", "2026.10.18.post1", "a newer build"],
])("from %s to %s", (current, latest, by) => {
  expect(distance(current, latest)).toBe(by);
});

describe("packages", () => {
  const root = temporaryFolder("packages");
  for (const folder of ["sample-app", "images/docs", "toolchain/go/engine"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(
    join(root, "package.json"),
    JSON.stringify({ dependencies: { yaml: "2.9.1", "@orion/x": "1" }, devDependencies: { jest: "30.0.0" } }),
  );
  writeFileSync(
    join(root, "sample-app/requirements.txt"),
    "Foo_Bar==1.0 \\\n    --hash=sha256:12\nbaz[x]==2.0\n    # via foo\n",
  );
  writeFileSync(join(root, "images/docs/requirements.txt"), "mkdocs==1.6.1\n");

  test("of npm: only what package.json names, at the version that it names", async () => {
    const run = runBy(() => ({
      code: 1,
      stdout: '{"yaml":{"current":"2.9.1","latest":"2.10.0"},"other":{"latest":"9"}}',
    }));
    expect(await npmItems(root, run)).toEqual([
      { kind: "npm", name: "yaml", current: "2.9.1", latest: "2.10.0", state: "behind", note: "1 minor version" },
      { kind: "npm", name: "jest", current: "30.0.0", state: "current" },
    ]);
  });

  test("of a registry that does not answer are unknown, with its reason", async () => {
    const run = runBy(() => ({ code: 1, stdout: "", output: "npm error network\nnpm error ENOTFOUND" }));
    expect(await npmItems(root, run)).toEqual([
      { kind: "npm", name: "package.json", current: "2 packages", state: "unknown", note: "npm error ENOTFOUND" },
    ]);
  });

  test("of Python: compared with what requirements.in brings today, whatever the spelling of a name", async () => {
    const report = {
      install: [{ metadata: { name: "foo-bar", version: "1.1" } }, { metadata: { name: "new", version: "3" } }],
    };
    const run = runBy(({ args }) =>
      args.at(-1)?.includes("docs") ? { code: 1, output: "no index" } : { stdout: JSON.stringify(report) },
    );
    expect(await pipItems(root, run)).toEqual([
      { kind: "pip", name: "foo-bar", current: "1.0", latest: "1.1", state: "behind", note: "1 minor version" },
      { kind: "pip", name: "baz", current: "2.0", state: "current" },
      { kind: "pip", name: "images/docs/requirements.txt", current: "1 packages", state: "unknown", note: "no index" },
    ]);
    expect([...pinsIn("a.b==1\n-c x\n# c==2\n")]).toEqual([["a-b", "1"]]);
  });

  test("of Go: what a module names itself, and the module of its tool; not what it brings along", async () => {
    const mod = JSON.stringify({
      Require: [
        { Path: "github.com/pulumi/pulumi/pkg/v3", Version: "v3.1.0", Indirect: true },
        { Path: "example.com/a", Version: "v1.0.0" },
        { Path: "example.com/local", Version: "v0.0.0" },
        { Path: "example.com/deep", Version: "v1.0.0", Indirect: true },
      ],
      Replace: [{ Old: { Path: "example.com/local" }, New: { Path: "./local" } }],
      Tool: [{ Path: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" }],
    });
    expect(directModules(mod).map(({ path }) => path)).toEqual(["github.com/pulumi/pulumi/pkg/v3", "example.com/a"]);
    const run = runBy(({ args }) => {
      if (args[0] === "mod") return { stdout: mod };
      const Path = args.at(-1);
      if (Path === "example.com/a") return { code: 1, output: "go: example.com/a: 403 Forbidden" };
      return { stdout: JSON.stringify({ Path, Version: "v3.1.0", Update: { Version: "v99.0.0" } }) };
    });
    const items = await goItems(root, run);
    expect(items).toContainEqual({
      ...{ kind: "go", name: "example.com/a", current: "v1.0.0", state: "unknown" },
      note: "go: example.com/a: 403 Forbidden",
    });
    expect(items).toContainEqual(expect.objectContaining({ kind: "engine", latest: "99.0.0", state: "behind" }));
  });
});

test("prices are old after half a year", () => {
  expect(priceItem(now)).toMatchObject({ state: "current" });
  expect(priceItem(new Date("2027-11-29"))).toMatchObject({ state: "behind", note: "426 days old" });
});

test("Cloudflare's ranges are compared with what it publishes", async () => {
  const answer =
    (result: unknown, status = 200) =>
    () =>
      Promise.resolve(new Response(JSON.stringify({ result }), { status }));
  const changed = { etag: "x", ipv4_cidrs: ["192.0.2.0/24"], ipv6_cidrs: [] };
  expect((await rangesItem(answer(changed))).note).toContain("+192.0.2.0/24 -173.245.48.0/20");
  expect(await rangesItem(answer({}, 503))).toMatchObject({
    state: "unknown",
    note: expect.stringContaining("503") as string,
  });
});

test("a server says how many packages wait, whether it needs a reboot, and whether its lists are fresh", () => {
  const status = readStatus(
    "boot 1\nup 1\nkernel 6\nnewest-kernel 7\ndocker 20\npatched 2026-11-01T00:00:00Z\n" +
      "package runc [1] (2 Debian-Security:12/stable-security [amd64])\n",
  );
  expect(serverItem("core-1", status, true, now)).toEqual({
    ...{ kind: "server", name: "core-1", current: "patched 28 days ago", state: "behind" },
    note: "1 packages, 1 of them for security; a reboot: kernel 7 is installed, 6 runs",
  });
  const fine = readStatus("boot 1\nup 1\nkernel 6\ndocker 20\n");
  expect(serverItem("core-1", fine, true, now).state).toBe("current");
  expect(serverItem("core-1", fine, false, now)).toMatchObject({
    state: "unknown",
    note: "its package lists could not be fetched",
  });
});

test("the report names what is behind or unknown, and counts the rest", () => {
  const text = reportOf([
    { kind: "npm", name: "yaml", current: "2.9.1", latest: "2.10.0", state: "behind", note: "1 minor version" },
    { kind: "npm", name: "jest", current: "30.0.0", state: "current" },
    { kind: "image", name: "redis:7", current: "tag only", state: "unknown", note: "no answer" },
  ]);
  expect(text).toContain("npm packages: 1 up to date\n  yaml  2.9.1  -> 2.10.0  behind: 1 minor version");
  expect(text).toContain("redis:7  tag only    not known: no answer");
  expect(text.endsWith("1 of 3 behind, 1 could not be asked for.")).toBe(true);
});
