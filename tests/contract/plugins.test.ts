/**
 * The installed plugins against the npm packages of the same name, for every resource type and property that the program
 * uses: a plugin that was built here has to understand exactly what the package sends.
 */
import { goldenGraph, goldenGraphs } from "../../testing/golden.ts";
import { describeOrigin } from "../../toolchain/src/engine.ts";
import { type Part, partsOf, toolchainPaths } from "../../toolchain/src/parts.ts";
import { NpmPackage } from "./support/npm-package.ts";
import { Plugin } from "./support/plugin.ts";
import { usesBelow, usesIn } from "./support/uses.ts";

jest.setTimeout(120_000);

const root = process.cwd();
const places = toolchainPaths(root, process.env);
const parts = partsOf(places);
const built = parts.filter(({ kind, buildable }) => kind === "plugin" && buildable);
const names = built.map(({ name }) => name);

const plugins = new Map<string, Plugin>();
const packages = new Map(names.map((name) => [name, new NpmPackage(root, name)]));
beforeAll(() => {
  for (const part of built) plugins.set(part.name, new Plugin(places, part));
});
const get = <T>(all: ReadonlyMap<string, T>, name: string): T => {
  const found = all.get(name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

const uses = usesBelow(root, "components", names);
const resources = [...new Set(uses.map(({ plugin, resource }) => `${plugin} ${resource}`))]
  .sort()
  .map((pair) => pair.split(" ") as [string, string]);
const tokenOf = (plugin: string, resource: string): string =>
  resource === "Provider" ? `pulumi:providers:${plugin}` : get(packages, plugin).token(resource);

test("the sources were read: these are among what the program makes", () => {
  const found = resources.map((pair) => pair.join("."));
  for (const name of ["docker.Provider", "docker.Container", "hcloud.Server", "random.RandomPassword"]) {
    expect(found).toContain(name);
  }
});

test("a call whose properties cannot be read is an error, not an empty list", () => {
  const source = (args: string) =>
    `import * as docker from "@pulumi/docker";\nnew docker.Volume("v", ${args}, { parent: this });\n`;
  const propertiesOf = (args: string) => usesIn("a.ts", source(args), names)[0]?.properties;
  expect(propertiesOf("{ name, ...(b && { driver: c }), ...(d ? { labels } : {}) }")).toEqual([
    "name",
    "driver",
    "labels",
  ]);
  expect(() => propertiesOf("{ ...rest }")).toThrow("a.ts:2: expected an object literal");
  expect(() => propertiesOf("args")).toThrow("a.ts:2: expected an object literal");
  expect(() => usesIn("a.ts", 'import { Volume } from "@pulumi/docker";\n', names)).toThrow(
    "a.ts:1: expected `import * as docker`",
  );
});

/** Newer than the providers that are to be had as Go modules; nothing of it may be used before they are. */
const lacking: Readonly<Record<string, readonly string[]>> = {
  hcloud: [],
  docker: ["docker:index/image:Image"],
  random: ["random:index/randomUuid4:RandomUuid4", "random:index/randomUuid7:RandomUuid7"],
  tls: [
    ...["CertRequest", "SelfSignedCert"].flatMap((resource) => [
      ...[`${resource} privateKeyPemWo`, `${resource} privateKeyPemWoVersion`, `${resource}Subject emailAddress`],
    ]),
    "LocallySignedCert caPrivateKeyPemWo",
    "LocallySignedCert caPrivateKeyPemWoVersion",
    "LocallySignedCert maxPathLength",
    "SelfSignedCert maxPathLength",
  ],
};

/** Optional since there is another way, which is among what is lacking: the program has to give them. */
const required: Readonly<Record<string, readonly string[]>> = {
  tls: ["CertRequest privateKeyPem", "LocallySignedCert caPrivateKeyPem", "SelfSignedCert privateKeyPem"],
};

/** The properties of a resource or a type without what is known to differ. */
function alike(plugin: string, of: string, kinds: Readonly<Record<string, string>>): Record<string, string> {
  const isKnown = (name: string, known: typeof lacking) => known[plugin]?.includes(`${of} ${name}`) === true;
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([name, kind]) =>
      isKnown(name, lacking) ? [] : [[name, isKnown(name, required) ? kind.replace(", required", "") : kind]],
    ),
  );
}

describe.each(resources)("%s.%s", (plugin, resource) => {
  test("takes the inputs of the npm package and no others, of the same types", () => {
    const given = get(plugins, plugin).inputs(tokenOf(plugin, resource));
    expect(alike(plugin, resource, given)).toEqual(alike(plugin, resource, get(packages, plugin).inputs(resource)));
  });

  test("takes the same objects within its inputs", () => {
    for (const [name, kinds] of get(plugins, plugin).inputTypes(tokenOf(plugin, resource))) {
      const awaited = alike(plugin, name, get(packages, plugin).inputType(name));
      expect({ [name]: kinds }).toEqual({ [name]: awaited });
    }
  });

  test("gives the outputs that the npm package waits for", () => {
    const awaited = alike(plugin, resource, get(packages, plugin).outputs(resource));
    expect(Object.keys(awaited)).not.toEqual([]);
    const given = get(plugins, plugin).outputs(tokenOf(plugin, resource));
    expect(alike(plugin, resource, given)).toMatchObject(awaited);
  });

  test("knows every property that the sources name", () => {
    const known = get(plugins, plugin).inputs(tokenOf(plugin, resource));
    const unknown = uses
      .filter((use) => use.plugin === plugin && use.resource === resource)
      .flatMap(({ properties, at }) => properties.filter((name) => !(name in known)).map((name) => `${at} ${name}`));
    expect(unknown).toEqual([]);
  });

  test("is always given what the plugin, unlike the package, insists on", () => {
    const incomplete = uses
      .filter((use) => use.plugin === plugin && use.resource === resource)
      .flatMap(({ properties, at }) =>
        (required[plugin] ?? [])
          .filter((one) => one.startsWith(`${resource} `) && !properties.includes(one.split(" ")[1] ?? ""))
          .map((one) => `${at} ${one}`),
      );
    expect(incomplete).toEqual([]);
  });
});

/** The golden graphs are what really goes to the engine. */
test.each(goldenGraphs())("every property in %s is known, however deep it lies", (graph) => {
  const results = goldenGraph(graph).flatMap(({ type, inputs }) => {
    const plugin = plugins.get(type.replace("pulumi:providers:", "").split(":")[0] ?? "");
    return plugin ? [plugin.unknownIn(type, inputs)] : [];
  });
  expect(results.flatMap(({ unknown }) => unknown)).toEqual([]);
  expect(results.reduce((sum, { checked }) => sum + checked, 0)).toBeGreaterThan(200);
});

test.each(names)(
  "what the program does not use yet: plugin %s differs from the npm package only where known",
  (name) => {
    const [plugin, npm] = [get(plugins, name), get(packages, name)];
    const differing = npm.resources().flatMap((resource) => {
      const token = npm.token(resource);
      if (!plugin.tokens.includes(token)) return [token];
      const [given, awaited] = [plugin.inputs(token), npm.inputs(resource)];
      return [...new Set([...Object.keys(given), ...Object.keys(awaited)])]
        .filter((property) => given[property] !== awaited[property])
        .map((property) => `${resource} ${property}`);
    });
    const known = [...(lacking[name] ?? []), ...(required[name] ?? [])];
    expect(differing.filter((one) => !known.includes(one))).toEqual([]);
  },
);

describe.each(built.map((part): [string, Part] => [part.name, part]))("plugin %s", (name, part) => {
  test("runs as the version that package.json pins", () => {
    expect(get(plugins, name).version()).toBe(part.version);
  });

  test("was made from the sources as they are now, or downloaded", () => {
    expect(["built from source", "official download", "installed by Pulumi"]).toContain(
      describeOrigin(part, { places, parts }),
    );
  });

  test("takes the npm package's provider configuration", () => {
    expect(get(plugins, name).inputs(`pulumi:providers:${name}`)).toEqual(get(packages, name).inputs("Provider"));
  });
});
