/** Getting the engine, with downloads and builds that are played: the real ones are bench/toolchain.ts and `make setup`. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fingerprint, targets } from "../../../toolchain/src/build.ts";
import { describeOrigin, ensureEngine, type Tools } from "../../../toolchain/src/engine.ts";
import { explainFailure, isOlder } from "../../../toolchain/src/go.ts";
import { engineVersion, isInstalled, partsOf, type Places, placesOf } from "../../../toolchain/src/parts.ts";
import { progressOn } from "../../../toolchain/src/progress.ts";
import { type Outcome, type Runner, type RunOptions } from "../../../toolchain/src/run.ts";

let root: string;
let places: Places;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "orion-toolchain-"));
  places = { root, pulumiHome: join(root, "pulumi"), cache: join(root, "cache") };
  const dependencies = Object.fromEntries(
    ["hcloud", "docker", "random", "tls", "cloudflare"].map((name) => [`@pulumi/${name}`, "1.2.3"]),
  );
  writeFileSync(join(root, "package.json"), JSON.stringify({ dependencies }));
  for (const name of ["engine", "language", "plugins"]) {
    mkdirSync(join(root, "toolchain", "go", name), { recursive: true });
    writeFileSync(join(root, "toolchain", "go", name, "go.mod"), "module x\n\ngo 1.26.4\n");
  }
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const ok: Outcome = { code: 0, stdout: "", stderr: "" };
const failed: Outcome = { code: 1, stdout: "", stderr: "no" };

interface Machine {
  readonly download?: boolean;
  readonly go?: Partial<Outcome>;
  /** What the build of a program does. */
  readonly build?: (program: string, log: string) => Outcome;
  readonly freeGiB?: number;
}

/** A machine whose programs are played; `ran` keeps what was started. */
function machine({ download = false, go, build, freeGiB = 100 }: Machine = {}): {
  tools: Tools;
  ran: string[];
  said: string[];
} {
  const ran: string[] = [];
  const said: string[] = [];
  const write = (path: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "program", { mode: 0o755 });
  };
  const run: Runner = (program, args, options: RunOptions = {}) => {
    ran.push([program.split("/").pop(), ...args.slice(0, 2)].join(" "));
    if (program === "curl") return Promise.resolve(download ? ok : failed);
    if (program === "sh") {
      for (const name of ["pulumi", "pulumi-language-nodejs"]) {
        write(join(args[args.indexOf("--install-root") + 1] ?? "", "bin", name));
      }
      return Promise.resolve(ok);
    }
    if (program === "go" && args[0] === "env") {
      const stdout = `go1.26.4\nauto\nlinux\namd64\n${join(root, "gocache")}\n${join(root, "gomod")}\n`;
      return Promise.resolve({ ...ok, stdout, ...go });
    }
    if (program === "go") {
      const target = args[args.indexOf("-o") + 1] ?? "";
      if (build) return Promise.resolve(build(target, options.log ?? ""));
      write(target);
      return Promise.resolve(ok);
    }
    if (args[0] === "generate") {
      writeFileSync(join(args[3] ?? "", "schema.json"), "{}");
      return Promise.resolve(ok);
    }
    if (args[0] === "plugin") {
      const [, , , name = "", version = ""] = args;
      write(join(places.pulumiHome, "plugins", `resource-${name}-v${version}`, `pulumi-resource-${name}`));
      return Promise.resolve(ok);
    }
    throw new Error(`the test knows no ${program} ${args.join(" ")}`);
  };
  const progress = progressOn({ write: (text) => said.push(text) });
  return { tools: { env: {}, run, progress, free: () => Promise.resolve(freeGiB * 2 ** 30) }, ran, said };
}

const missing = () =>
  partsOf(places)
    .filter((part) => !isInstalled(part))
    .map(({ name }) => name);

test("the parts lie where Pulumi looks for them, at the versions that package.json pins", () => {
  expect(partsOf(places).map(({ folder }) => folder.slice(places.pulumiHome.length))).toEqual([
    `/versions/${engineVersion}`,
    "/plugins/resource-hcloud-v1.2.3",
    "/plugins/resource-docker-v1.2.3",
    "/plugins/resource-random-v1.2.3",
    "/plugins/resource-tls-v1.2.3",
    "/plugins/resource-cloudflare-v1.2.3",
  ]);
});

test("PULUMI_HOME and XDG_CACHE_HOME are heard", () => {
  expect(placesOf("/p", { HOME: "/h" })).toEqual({
    root: "/p",
    pulumiHome: "/h/.pulumi",
    cache: "/h/.cache/orion/toolchain",
  });
  expect(placesOf("/p", { HOME: "/h", PULUMI_HOME: "/x", XDG_CACHE_HOME: "/c" })).toMatchObject({
    pulumiHome: "/x",
    cache: "/c/orion/toolchain",
  });
});

test("a version that is no exact one is refused", () => {
  writeFileSync(join(root, "package.json"), '{"dependencies":{"@pulumi/hcloud":"^1.0.0"}}');
  expect(() => partsOf(places)).toThrow(
    'package.json: dependencies.@pulumi/hcloud is "^1.0.0"; expected an exact version',
  );
});

test("what can be downloaded is, and nothing is built", async () => {
  const { tools, ran } = machine({ download: true });
  await ensureEngine(places, tools);
  expect(missing()).toEqual([]);
  expect(ran.filter((line) => line.startsWith("go"))).toEqual([]);
});

test("where nothing can be downloaded it is built, each program once, and installed whole", async () => {
  const { tools, ran, said } = machine();
  await ensureEngine(places, tools);
  expect(missing()).toEqual(["cloudflare"]);
  expect(ran.filter((line) => line.startsWith("go build"))).toHaveLength(3);
  expect(said.join("")).toContain("not reachable: building from source, once");
  const [engine, hcloud] = partsOf(places);
  if (!engine || !hcloud) throw new Error("there are no parts");
  expect(readdirSync(join(engine.folder, "bin"))).toEqual(["pulumi", "pulumi-language-nodejs"]);
  expect(describeOrigin(hcloud, { places, parts: partsOf(places) })).toBe("built from source");
});

test("what is installed already is left alone, and nobody is asked", async () => {
  await ensureEngine(places, machine().tools);
  const { tools, ran } = machine();
  await ensureEngine(places, tools);
  expect(ran).toEqual([]);
});

test("a part that was deleted comes back from the cache, without a build", async () => {
  await ensureEngine(places, machine().tools);
  rmSync(join(places.pulumiHome, "plugins"), { recursive: true });
  const { tools, ran } = machine();
  await ensureEngine(places, tools);
  expect(missing()).toEqual(["cloudflare"]);
  expect(ran.filter((line) => line.startsWith("go build"))).toEqual([]);
});

test("what was built from sources that have changed is built again", async () => {
  await ensureEngine(places, machine().tools);
  writeFileSync(join(root, "toolchain", "go", "plugins", "main.go"), "package main\n");
  const { tools, ran } = machine();
  await ensureEngine(places, tools);
  expect(ran.filter((line) => line.startsWith("go build"))).toHaveLength(1);
});

test("a build that fails installs nothing, and its message has the cause and the log's end", async () => {
  const { tools } = machine({
    build: (program, log) => {
      mkdirSync(dirname(program), { recursive: true });
      writeFileSync(program, "half");
      writeFileSync(log, "go: downloading x\ndial tcp: lookup proxy: no such host\n");
      return failed;
    },
  });
  await expect(ensureEngine(places, tools)).rejects.toThrow(
    /could not be built\.\nThe Go module proxy could not be reached[^]*no such host\nThe whole log: /,
  );
  expect(missing()).toHaveLength(6);
  expect(readdirSync(places.cache).filter((name) => name.startsWith("language"))).toEqual([]);
});

test("what an interrupted run left is removed and never used", async () => {
  const half = join(places.pulumiHome, "plugins", ".orion-unfinished-abc");
  mkdirSync(half, { recursive: true });
  await ensureEngine(places, machine().tools);
  expect(existsSync(half)).toBe(false);
});

test.each<[string, Machine, RegExp]>([
  ["no Go", { go: { code: 127 } }, /Go is not installed; go1\.26\.4 or newer is needed\. Install it from/],
  [
    "an old Go",
    { go: { stdout: "go1.19.8\nlocal\nlinux\namd64\n/c\n/m\n" } },
    /too old: got go1\.19\.8, needed go1\.26\.4/,
  ],
  ["a full disk", { freeGiB: 1 }, /needs 6 GiB of free space, and .* has 1\.0 GiB/],
])("%s is said clearly", async (_, given, message) => {
  await expect(ensureEngine(places, machine(given).tools)).rejects.toThrow(message);
});

test("a newer Go gets itself the version that a module asks for", async () => {
  const stdout = `go1.24.1\nauto\nlinux\namd64\n${root}\n${root}\n`;
  await expect(ensureEngine(places, machine({ go: { stdout } }).tools)).resolves.toBeUndefined();
});

test.each([
  ["no space left on device", /The disk is full/],
  ["signal: killed", /ran out of memory/],
  ["verifying x: checksum mismatch", /not the one that go\.sum names/],
  ["undefined: x", /^Engine could not be built\.\n {2}\| undefined: x\nThe whole log: \/log$/],
])("a log with %j is explained", (log, message) => {
  expect(explainFailure("Engine", "/log", log).message).toMatch(message);
});

test.each([
  ["go1.25", "go1.26.4", true],
  ["go1.26.4", "go1.26.4", false],
  ["go1.26.10", "go1.26.9", false],
  ["go1.9", "go1.10", true],
])("%s is older than %s: %s", (version, than, expected) => {
  expect(isOlder(version, than)).toBe(expected);
});

describe("the project's own sources", () => {
  test("the Go module of the engine is of the version that is installed", () => {
    expect(readFileSync("toolchain/go/engine/go.mod", "utf8")).toContain(
      `github.com/pulumi/pulumi/pkg/v3 v${engineVersion}`,
    );
  });

  test("a build is known by its sources and by the versions that it is given", () => {
    const [target] = targets.filter(({ name }) => name === "plugins");
    if (!target) throw new Error("no plugins are built");
    const before = fingerprint({ places, parts: partsOf(places) }, target);
    const newer = partsOf(places).map((part) => ({ ...part, version: "9.9.9" }));
    expect(fingerprint({ places, parts: newer }, target)).not.toBe(before);
    expect(fingerprint({ places, parts: partsOf(places) }, target)).toBe(before);
  });
});
