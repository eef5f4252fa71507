import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  engineFolder,
  engineVersion,
  isInstalled,
  type Part,
  partsOf,
  type ToolchainPaths,
  toolchainPaths,
} from "../../../../toolchain/src/parts.ts";
import { makeProject, writeProgram } from "./support/machine.ts";

let places: ToolchainPaths;
beforeEach(() => {
  places = makeProject();
});
afterEach(() => {
  rmSync(places.root, { recursive: true, force: true });
});

test("the parts lie where Pulumi looks for them, at the versions that package.json pins", () => {
  expect(partsOf(places).map(({ folder }) => folder.slice(places.pulumiHome.length))).toEqual([
    `/versions/${engineVersion}`,
    "/plugins/resource-hcloud-v1.2.3",
    "/plugins/resource-docker-v1.2.3",
    "/plugins/resource-random-v1.2.3",
    "/plugins/resource-tls-v1.2.3",
    "/plugins/resource-cloudflare-v1.2.3",
  ]);
  expect(engineFolder(places)).toBe(`${places.pulumiHome}/versions/${engineVersion}/bin`);
});

test("PULUMI_HOME and XDG_CACHE_HOME are heard; an empty one of the latter is none", () => {
  const usual = { root: "/p", pulumiHome: "/h/.pulumi", cache: "/h/.cache/orion/toolchain" };
  expect(toolchainPaths("/p", { HOME: "/h" })).toEqual(usual);
  expect(toolchainPaths("/p", { HOME: "/h", XDG_CACHE_HOME: "" })).toEqual(usual);
  expect(toolchainPaths("/p", { HOME: "/h", PULUMI_HOME: "/x", XDG_CACHE_HOME: "/c" })).toEqual({
    root: "/p",
    pulumiHome: "/x",
    cache: "/c/orion/toolchain",
  });
});

test.each([
  ["a range", '{"dependencies":{"@pulumi/hcloud":"^1.0.0"}}', '"^1.0.0"'],
  ["missing", "{}", "undefined"],
])("a version that is %s is refused, with what was found", (_, manifest, found) => {
  writeFileSync(join(places.root, "package.json"), manifest);
  expect(() => partsOf(places)).toThrow(
    `package.json: dependencies.@pulumi/hcloud is ${found}; expected an exact version such as 1.2.3`,
  );
});

describe("a part is installed", () => {
  let part: Part;
  const program = (index: number) => join(part.folder, part.programs[index] ?? "");
  beforeEach(() => {
    const [engine] = partsOf(places);
    if (!engine) throw new Error("there is no engine");
    part = engine;
    for (const name of part.programs) writeProgram(join(part.folder, name));
  });

  test("when all its programs are there", () => {
    expect(isInstalled(part)).toBe(true);
  });

  test.each<[string, () => void]>([
    [
      "one is missing",
      () => {
        rmSync(program(1));
      },
    ],
    [
      "one is empty",
      () => {
        writeFileSync(program(0), "");
      },
    ],
    [
      "one cannot be run",
      () => {
        chmodSync(program(1), 0o644);
      },
    ],
  ])("but not when %s", (_, damage) => {
    damage();
    expect(isInstalled(part)).toBe(false);
  });
});

describe("what the Go modules pin", () => {
  const folder = join("toolchain", "go");
  const file = (...path: string[]) => readFileSync(join(folder, ...path), "utf8");
  /** Every module that a go.mod asks for, with its version. */
  const required = (name: string): ReadonlyMap<string, string> =>
    new Map(
      [...file(name, "go.mod").matchAll(/^(?:\t|require )([\w./-]+) (v\S+)/gm)].map(([, module = "", version = ""]) => [
        module,
        version,
      ]),
    );
  /** Every module that a go.mod replaces: by a folder, or by another module with its version. */
  const replaced = (name: string): ReadonlyMap<string, string> =>
    new Map(
      [...file(name, "go.mod").matchAll(/^(?:\t|replace )([\w./-]+) => (.+)$/gm)].map(([, module = "", by = ""]) => [
        module,
        by,
      ]),
    );
  const upstreams: Record<string, string> = {
    hcloud: "github.com/hetznercloud/terraform-provider-hcloud",
    docker: "github.com/terraform-providers/terraform-provider-docker",
    random: "github.com/terraform-providers/terraform-provider-random",
    tls: "github.com/hashicorp/terraform-provider-tls",
  };
  const buildable = () =>
    partsOf(toolchainPaths(".", {}))
      .filter(({ kind, buildable }) => kind === "plugin" && buildable)
      .map(({ name }) => name);

  test("the engine, with its SDK, is of the version that is installed", () => {
    const modules = required("engine");
    expect(modules.get("github.com/pulumi/pulumi/pkg/v3")).toBe(`v${engineVersion}`);
    expect(modules.get("github.com/pulumi/pulumi/sdk/v3")).toBe(`v${engineVersion}`);
  });

  test("the plugins that the Go program knows are those that are built", () => {
    const [, table = ""] = /^var bridges = .*\{\n([^]*?)^\}/m.exec(file("plugins", "providers.go")) ?? [];
    const known = [...table.matchAll(/^\t"(\w+)":/gm)].map(([, name = ""]) => name);
    expect(known.sort()).toEqual(buildable().sort());
    expect(Object.keys(upstreams).sort()).toEqual(buildable().sort());
  });

  test.each(Object.entries(upstreams))("the provider of %s is one exact state, of a known content", (_, module) => {
    const pinned = replaced("plugins").get(module) ?? `${module} ${required("plugins").get(module) ?? ""}`;
    // A release, or a commit with its date.
    expect(pinned).toMatch(/ v\d+\.\d+\.\d+(?:-(?:0\.)?\d{14}-[0-9a-f]{12})?$/);
    expect(file("plugins", "go.sum")).toContain(`${pinned} h1:`);
  });

  test("each adapter below upstream/ bears the path of the provider that it opens", () => {
    const adapters = readdirSync(join(folder, "plugins", "upstream"));
    expect(adapters.sort()).toEqual(["docker", "random", "tls"]);
    for (const name of adapters) {
      const path = `${upstreams[name] ?? ""}/upstream`;
      expect(file("plugins", "upstream", name, "go.mod")).toContain(`module ${path}\n`);
      expect(replaced("plugins").get(path)).toBe(`./upstream/${name}`);
    }
  });

  test("the bridge comes with the Terraform SDK that it replaces the upstream one with", () => {
    const bySdk = replaced("plugins").get("github.com/hashicorp/terraform-plugin-sdk/v2") ?? "";
    expect(bySdk).toMatch(/^github\.com\/pulumi\/terraform-plugin-sdk\/v2 v/);
    expect(file("plugins", "go.sum")).toContain(`${bySdk} h1:`);
  });
});
