/**
 * What `make diff` and the guard take to replace a resource, against the plugins: each is asked, for every input that the
 * program gives to a resource, what the engine would ask before an update that changes this input and nothing else.
 */
import { generateKeyPairSync } from "node:crypto";
import { keyOf } from "../../policy/graph.ts";
import { replacingInputs } from "../../policy/replacing.ts";
import { goldenGraph, goldenGraphs } from "../../testing/golden.ts";
import { partsOf, toolchainPaths } from "../../toolchain/src/parts.ts";
import { AskedPlugin } from "./support/asked-plugin.ts";
import { Plugin } from "./support/plugin.ts";

jest.setTimeout(120_000);

const root = process.cwd();
const places = toolchainPaths(root, process.env);
const parts = partsOf(places).filter(({ kind, buildable }) => kind === "plugin" && buildable);
const pluginOf = (type: string): string => type.split(":")[0] ?? "";
const names = parts.map(({ name }) => name);

const resources = new Map(
  goldenGraphs().flatMap((graph) =>
    goldenGraph(graph)
      .filter(({ type }) => names.includes(pluginOf(type)))
      .map((resource) => [`${graph} ${keyOf(resource)}`, resource] as const),
  ),
);

const pem = (): string =>
  generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "sec1", format: "pem" },
  }).privateKey;
const [key, otherKey] = [pem(), pem()];

/** Inputs that are made up in a graph, and that a plugin takes apart. */
const lifelike: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "hcloud:index/loadBalancerNetwork:LoadBalancerNetwork": { subnetId: "4711-10.20.1.0/24" },
  "hcloud:index/serverNetwork:ServerNetwork": { subnetId: "4711-10.20.1.0/24" },
  // It is replaced for another PEM only; which kind of PEM does not matter here.
  "tls:index/locallySignedCert:LocallySignedCert": { caCertPem: key, certRequestPem: key },
};

/** Outputs that a plugin looks into. */
const outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "tls:index/privateKey:PrivateKey": { privateKeyPem: key },
};

/** Inputs as the plugin gets them: no secret's wrapping, and a key where one is made up. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "string") return value.startsWith("key-") ? key : value;
  if (typeof value !== "object" || value === null) return value;
  if ("[secret]" in value) return plain(value["[secret]"]);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

/** A value that is another one. */
function other(value: unknown): unknown {
  if (value === undefined) return "new";
  if (typeof value === "boolean") return !value;
  if (typeof value === "number") return value + 1;
  if (typeof value === "string") return value === key ? otherKey : /^\d/.test(value) ? `1${value}` : `${value}x`;
  if (Array.isArray(value)) {
    const [head, ...tail] = value as unknown[];
    return [other(head), ...tail];
  }
  const [first = ["new", ""], ...rest] = Object.entries(value as object) as [string, unknown][];
  return Object.fromEntries([[first[0], other(first[1])], ...rest]);
}

const asked = new Map<string, AskedPlugin>();
beforeAll(async () => {
  for (const part of parts) asked.set(part.name, await AskedPlugin.start(part));
});
afterAll(() => {
  for (const plugin of asked.values()) plugin.stop();
});

const types = [...new Set([...resources.values()].map(({ type }) => type))].sort();

test("the program's resources are found, of every plugin", () => {
  expect(new Set(types.map(pluginOf))).toEqual(new Set(names));
  expect(types.length).toBeGreaterThan(12);
});

test.each(types)("%s is replaced for the inputs that the table names, and for no others", async (type) => {
  const plugin = asked.get(pluginOf(type));
  if (!plugin) throw new Error(`there is no plugin for ${type}`);
  const wrong: string[] = [];
  const done = new Set<string>();
  for (const resource of resources.values()) {
    if (resource.type !== type) continue;
    const before = { ...(plain(resource.inputs) as Record<string, unknown>), ...lifelike[type] };
    const anyway = await plugin.replaces(type, outputs[type] ?? {}, before, before);
    for (const [input, value] of Object.entries(before)) {
      if (done.has(input)) continue;
      done.add(input);
      const found = await plugin.replaces(type, outputs[type] ?? {}, before, { ...before, [input]: other(value) });
      const does = found.includes(input) && !anyway.includes(input);
      const said = replacingInputs[type]?.includes(input) === true;
      if (does !== said) wrong.push(`${input}: the plugin ${does ? "replaces" : "does not replace"} for it`);
    }
  }
  expect(wrong).toEqual([]);
  expect(done.size).toBeGreaterThan(0);
});

test.each(names)("what the table names beyond that, plugin %s's schema says too, where it says such things", (name) => {
  const part = parts.find((one) => one.name === name);
  if (!part) throw new Error(`there is no plugin ${name}`);
  const plugin = new Plugin(places, part);
  for (const [type, inputs] of Object.entries(replacingInputs)) {
    if (pluginOf(type) !== name) continue;
    const known = Object.keys(plugin.inputs(type));
    expect([type, inputs.filter((input) => !known.includes(input))]).toEqual([type, []]);
    const replacing = plugin.replacing(type);
    if (replacing.length > 0) {
      expect([type, inputs.filter((input) => !replacing.includes(input))]).toEqual([type, []]);
    }
  }
});
