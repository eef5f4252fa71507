import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  buildTarget,
  fingerprint,
  type Target,
  targets,
  targetsOf,
  type BuildTools,
} from "../../../../toolchain/src/build.ts";
import { engineVersion, partsOf, type ToolchainPaths } from "../../../../toolchain/src/parts.ts";
import { failed, type Given, machine, makeProject, ok, writeProgram } from "./support/machine.ts";

const go = { version: "go1.26.4", platform: "linux-amd64" };
const target = (name: Target["name"]): Target => {
  const found = targets.find((one) => one.name === name);
  if (!found) throw new Error(`there is no target ${name}`);
  return found;
};

let places: ToolchainPaths;
beforeEach(() => {
  places = makeProject();
  mkdirSync(places.cache);
});
afterEach(() => {
  rmSync(places.root, { recursive: true, force: true });
});
function workshop(given: Given = {}) {
  const played = machine(places, given);
  const shop: BuildTools = { places, parts: partsOf(places), ...played.tools };
  return { ...played, shop };
}

test("the engine is made of two programs, every plugin of one that they share", () => {
  const made = partsOf(places).map((part) => [part.name, targetsOf(part).map(({ name }) => name)]);
  expect(made).toEqual([
    ["engine", ["language", "engine"]],
    ...["hcloud", "docker", "random", "tls", "cloudflare"].map((name) => [name, ["plugins"]]),
  ]);
});

describe("a fingerprint", () => {
  const of = (name: Target["name"]) => fingerprint({ places, parts: partsOf(places) }, target(name));
  const source = (...path: string[]) => join(places.root, "toolchain", "go", "plugins", ...path);
  const pin = (name: string, version: string) => {
    const path = join(places.root, "package.json");
    const manifest = JSON.parse(readFileSync(path, "utf8")) as { dependencies: Record<string, string> };
    manifest.dependencies[`@pulumi/${name}`] = version;
    writeFileSync(path, JSON.stringify(manifest));
  };

  test("is the same for the same inputs, wherever the project lies", () => {
    const before = of("plugins");
    const elsewhere = `${places.root}-moved`;
    renameSync(places.root, elsewhere);
    places = { ...places, root: elsewhere };
    expect(of("plugins")).toBe(before);
    expect(before).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each<[string, () => void]>([
    [
      "a source changes",
      () => {
        writeFileSync(source("go.mod"), "module y\n\ngo 1.26.4\n");
      },
    ],
    [
      "a source comes, in a folder of its own",
      () => {
        mkdirSync(source("a"));
        writeFileSync(source("a", "b.go"), "");
      },
    ],
    [
      "a source gets another name",
      () => {
        renameSync(source("go.mod"), source("go.sum"));
      },
    ],
    [
      "a plugin gets another version",
      () => {
        pin("tls", "1.2.4");
      },
    ],
  ])("of the plugins changes when %s", (_, change) => {
    const before = of("plugins");
    const engine = of("engine");
    change();
    expect(of("plugins")).not.toBe(before);
    expect(of("engine")).toBe(engine);
  });

  test("does not change with a plugin that is only downloaded", () => {
    const before = of("plugins");
    pin("cloudflare", "9.9.9");
    expect(of("plugins")).toBe(before);
  });

  test("changes with what is built, and how", () => {
    const all = [{}, { package: "./other" }, { program: "other" }, { link: "-X a=b" }].map((more) =>
      fingerprint({ places, parts: partsOf(places) }, { ...target("engine"), ...more }),
    );
    expect(new Set(all).size).toBe(all.length);
  });
});

describe("a build", () => {
  test("is made from exactly what go.sum names, without C and the user's workspace, for this machine", async () => {
    const { shop, builds } = workshop();
    await buildTarget(shop, target("engine"), go);
    const [{ args, options } = { args: [], options: {} }] = builds;
    expect(builds).toHaveLength(1);
    expect(args.slice(0, 4)).toEqual(["build", "-mod=readonly", "-trimpath", "-buildvcs=false"]);
    expect(args[5]).toContain(`version.Version=v${engineVersion}`);
    expect(options.cwd).toBe(join(places.root, "toolchain", "go", "engine"));
    const { GOTMPDIR, ...env } = options.environment ?? {};
    expect(env).toEqual({ PATH: "/bin", CGO_ENABLED: "0", GOOS: undefined, GOARCH: undefined, GOWORK: "off" });
    // Where there is room, and gone afterwards.
    expect(dirname(GOTMPDIR ?? "")).toBe(places.cache);
    expect(existsSync(GOTMPDIR ?? "")).toBe(false);
  });

  test("is done once: its cache entry is used from then on", async () => {
    const first = await buildTarget(workshop().shop, target("engine"), go);
    const { shop, ran } = workshop();
    expect(await buildTarget(shop, target("engine"), go)).toBe(first);
    expect(ran).toEqual([]);
  });

  test("is done again by another Go", async () => {
    const first = await buildTarget(workshop().shop, target("language"), go);
    const { shop, builds } = workshop();
    expect(await buildTarget(shop, target("language"), { ...go, version: "go1.27.0" })).not.toBe(first);
    expect(builds).toHaveLength(1);
  });

  test("of the plugins gives each a folder with its schema; the program is there once on the disk", async () => {
    const entry = await buildTarget(workshop().shop, target("plugins"), go);
    expect(readdirSync(entry).sort()).toEqual(["docker", "hcloud", "random", "tls"]);
    const files = readdirSync(entry).map((name) => join(entry, name, `pulumi-resource-${name}`));
    expect(new Set(files.map((file) => statSync(file).ino)).size).toBe(1);
    expect(readdirSync(join(entry, "tls")).sort()).toEqual(["pulumi-resource-tls", "schema.json"]);
  });

  test.each<[string, Given, RegExp]>([
    ["fails half way", { build: (path) => (writeProgram(path), failed) }, /^resource plugins could not be built\./],
    ["says that it succeeded and has made nothing", { build: () => ok }, /^resource plugins could not be built\./],
    [
      "makes a program that can give no schema",
      { generate: () => ({ ...failed, stderr: "panic: no such resource" }) },
      /^The schema of plugin hcloud could not be built\.\n {2}\| panic: no such resource\n/,
    ],
  ])("that %s leaves nothing but its log", async (_, given, message) => {
    const { shop } = workshop(given);
    await expect(buildTarget(shop, target("plugins"), go)).rejects.toThrow(message);
    expect(readdirSync(places.cache)).toEqual(["logs"]);
  });
});
