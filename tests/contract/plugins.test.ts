/**
 * The installed plugins against the npm packages of the same name, for every resource type and property that the program
 * uses: a plugin that was built here has to understand exactly what the package sends.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { z } from "zod";
import { engineFolder, partsOf, placesOf } from "../../toolchain/src/parts.ts";

jest.setTimeout(120_000);

const root = process.cwd();
const places = placesOf(root, process.env);
const plugins = partsOf(places).filter(({ kind, buildable }) => kind === "plugin" && buildable);

const propertySchema = z.looseObject({
  type: z.string().optional(),
  $ref: z.string().optional(),
  get items() {
    return propertySchema.optional();
  },
});
const objectSchema = z.looseObject({
  properties: z.record(z.string(), propertySchema).default({}),
  required: z.array(z.string()).default([]),
});
const pluginSchema = z.looseObject({
  name: z.string(),
  resources: z.record(
    z.string(),
    z.looseObject({
      inputProperties: z.record(z.string(), propertySchema).default({}),
      requiredInputs: z.array(z.string()).default([]),
    }),
  ),
  types: z.record(z.string(), objectSchema).default({}),
  provider: z.looseObject({ inputProperties: z.record(z.string(), propertySchema).default({}) }),
});
type PluginSchema = z.infer<typeof pluginSchema>;

/** The schema that the plugin itself gives to the engine. */
function schemaOf(name: string): PluginSchema {
  const plugin = plugins.find((part) => part.name === name);
  if (!plugin) throw new Error(`no plugin ${name}`);
  const { stdout, stderr, status } = spawnSync(
    join(engineFolder(places), "pulumi"),
    ["package", "get-schema", join(plugin.folder, `pulumi-resource-${name}`)],
    { encoding: "utf8", maxBuffer: 1 << 28, env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" } },
  );
  if (status !== 0) throw new Error(`plugin ${name} gives no schema:\n${stderr}`);
  return pluginSchema.parse(JSON.parse(stdout));
}
const schemas = new Map<string, PluginSchema>();
beforeAll(() => {
  for (const { name } of plugins) schemas.set(name, schemaOf(name));
});
const schema = (name: string): PluginSchema => {
  const found = schemas.get(name);
  if (!found) throw new Error(`no schema of ${name}`);
  return found;
};

/** What the program's sources make: `package.Class` with the properties that the call names. */
interface Use {
  readonly plugin: string;
  readonly resource: string;
  readonly properties: readonly string[];
}

/** Every `new docker.X(name, { ... })` of the components. */
function usesInSources(): Use[] {
  const files = readdirSync(join(root, "components"), { recursive: true, encoding: "utf8" });
  const uses: Use[] = [];
  for (const file of files.filter((name) => name.endsWith(".ts"))) {
    const path = join(root, "components", file);
    const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
    const visit = (node: ts.Node): void => {
      if (ts.isNewExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
        const plugin = ts.isIdentifier(node.expression.expression) ? node.expression.expression.text : "";
        const args = node.arguments?.[1];
        if (plugins.some(({ name }) => name === plugin)) {
          const properties = args && ts.isObjectLiteralExpression(args) ? namesIn(args) : [];
          uses.push({ plugin, resource: node.expression.name.text, properties });
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return uses;
}

/** The names in an object literal, those in conditional spreads included. */
function namesIn(literal: ts.ObjectLiteralExpression): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node)) {
      for (const property of node.properties) {
        if (ts.isSpreadAssignment(property)) visit(property.expression);
        else if (ts.isIdentifier(property.name)) names.push(property.name.text);
      }
    } else if (ts.isParenthesizedExpression(node)) visit(node.expression);
    else if (ts.isBinaryExpression(node)) visit(node.right);
  };
  visit(literal);
  return names;
}

/** The members of an interface in a declaration file of the npm package: name and whether it must be given. */
function membersOf(plugin: string, file: string, name: string): Map<string, boolean> {
  const path = join(root, "node_modules", "@pulumi", plugin, file);
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
  const members = new Map<string, boolean>();
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) && node.name.text === name) {
      for (const member of node.members) {
        if (member.name && ts.isIdentifier(member.name)) members.set(member.name.text, !member.questionToken);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return members;
}

const fileOf = (resource: string): string => `${resource.charAt(0).toLowerCase()}${resource.slice(1)}.d.ts`;
const tokenOf = (plugin: string, resource: string): string =>
  `${plugin}:index/${resource.charAt(0).toLowerCase()}${resource.slice(1)}:${resource}`;
const sorted = (names: Iterable<string>): string[] => [...names].sort();

const uses = usesInSources();
const resources = sorted(
  new Set(
    uses.filter(({ resource }) => resource !== "Provider").map(({ plugin, resource }) => `${plugin} ${resource}`),
  ),
).map((line) => line.split(" ") as [string, string]);

test("the sources were read: the program uses these", () => {
  expect(resources.map((pair) => pair.join("."))).toEqual(
    expect.arrayContaining([
      "docker.Container",
      "docker.Volume",
      "hcloud.Server",
      "hcloud.Volume",
      "random.RandomPassword",
    ]),
  );
});

describe.each(resources)("%s.%s", (plugin, resource) => {
  test("is known to the plugin, with the inputs of the npm package and no others", () => {
    const found = schema(plugin).resources[tokenOf(plugin, resource)];
    const members = membersOf(plugin, fileOf(resource), `${resource}Args`);
    expect(found).toBeDefined();
    expect(sorted(Object.keys(found?.inputProperties ?? {}))).toEqual(sorted(members.keys()));
    expect(sorted(found?.requiredInputs ?? [])).toEqual(
      sorted([...members].filter(([, required]) => required).map(([name]) => name)),
    );
  });

  test("takes every property that the program gives it", () => {
    const known = Object.keys(schema(plugin).resources[tokenOf(plugin, resource)]?.inputProperties ?? {});
    const given = uses.filter((use) => use.plugin === plugin && use.resource === resource);
    expect(given.flatMap(({ properties }) => properties).filter((name) => !known.includes(name))).toEqual([]);
  });
});

/** What really goes to the engine, from the golden graphs: nested objects included. */
const graphSchema = z.object({
  resources: z.array(z.object({ type: z.string(), inputs: z.record(z.string(), z.unknown()) })),
});
const graphs = readdirSync(join(root, "tests", "golden")).filter((name) => name.startsWith("graph-"));

test.each(graphs)("every property in %s, however deep, is in the schema and in the npm package", (graph) => {
  const { resources: made } = graphSchema.parse(JSON.parse(readFileSync(join(root, "tests", "golden", graph), "utf8")));
  const unknown: string[] = [];
  let checked = 0;
  const check = (plugin: string, reference: string | undefined, value: unknown, at: string): void => {
    if (Array.isArray(value)) {
      for (const item of value) check(plugin, reference, item, at);
      return;
    }
    if (reference === undefined || typeof value !== "object" || value === null || "[secret]" in value) return;
    const token = reference.replace("#/types/", "");
    const type = schema(plugin).types[token];
    const members = membersOf(plugin, join("types", "input.d.ts"), token.split(":").pop() ?? "");
    for (const [name, inner] of Object.entries(value)) {
      checked++;
      if (!type?.properties[name] || !members.has(name)) unknown.push(`${at}.${name}`);
      check(plugin, referenceOf(type?.properties[name]), inner, `${at}.${name}`);
    }
  };
  for (const { type, inputs } of made) {
    const [plugin = ""] = type.split(":");
    if (!schemas.has(plugin)) continue;
    const known = schema(plugin).resources[type]?.inputProperties ?? {};
    for (const [name, value] of Object.entries(inputs)) {
      checked++;
      if (!known[name]) unknown.push(`${type} ${name}`);
      check(plugin, referenceOf(known[name]), value, `${type} ${name}`);
    }
  }
  expect(unknown).toEqual([]);
  expect(checked).toBeGreaterThan(200);
});

const referenceOf = (property: z.infer<typeof propertySchema> | undefined): string | undefined =>
  property?.$ref ?? property?.items?.$ref;

test.each(plugins.map(({ name, version }) => [name, version]))("plugin %s is of version %s", (name, version) => {
  const plugin = plugins.find((part) => part.name === name);
  const { stdout } = spawnSync(join(plugin?.folder ?? "", `pulumi-resource-${name}`), ["-version"], {
    encoding: "utf8",
  });
  expect(stdout.trim().replace(/^v/, "")).toBe(version);
});
