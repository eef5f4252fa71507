/** What documents the settings: the page, the editors' schema and Pulumi.yaml come from the schema that checks them. */
import { globSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { isRecord } from "../../../../common/record.ts";
import { presets } from "../../../../config/presets.ts";
import { secretKeys, settingsSchema } from "../../../../config/schema.ts";
import { editorSchema, editorSchemaFile } from "../../../../tools/settings/editor-schema.ts";
import { allKeys, defaultOf, exampleValue, settingsPage, typeOf } from "../../../../tools/settings/page.ts";
import { withSettings } from "../../../../tools/settings/project-file.ts";

test.each(allKeys)("$path has a meaning in a sentence, and an example that is taken", (key) => {
  expect(key.schema.description).toMatch(/^[A-Za-z].*\.$/);
  const example = exampleValue(key);
  expect(example).toBeDefined();
  // With the keys beside it, of which some come together: registry and user of a login.
  const beside = allKeys.filter(({ path }) => folderOf(path) === folderOf(key.path));
  const values = beside.reduce<unknown>((all, one) => merged(all, nested(one.path, exampleValue(one))), {
    phase: "scale",
    ...presets.scale,
  });
  expect(settingsSchema.safeParse(values).error).toBeUndefined();
});

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("."));
const nested = (path: string, value: unknown): unknown =>
  path.split(".").reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);

function merged(base: unknown, own: unknown): unknown {
  if (!isRecord(base) || !isRecord(own)) return own;
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(own)])].map((key) => [
      key,
      key in own ? merged(base[key], own[key]) : base[key],
    ]),
  );
}

describe("the page", () => {
  test("has each key and each secret once", () => {
    const page = settingsPage();
    for (const name of [...allKeys.map(({ path }) => path), ...secretKeys])
      expect([name, page.split(`\n| \`${name}\` |`).length]).toEqual([name, 2]);
  });

  test.each([
    ["app.instances", "`1`; from mvp `2`"],
    ["app.servers.count", "absent; from scale `2`; from enterprise `3`"],
    ["database.availability", "`single`; from scale `replica`; from ha `patroni`"],
    ["dockerHost", "absent"],
    ["domain", "absent"],
  ])("the default of %s is %s", (path, text) => {
    expect(defaultOf(path)).toBe(text);
  });

  test.each([
    [{ type: "integer", minimum: 1, maximum: 16 }, "1 to 16"],
    [{ enum: ["local", "r2"] }, "`local`, `r2`"],
    [{ type: "array", items: { patternErrorMessage: "a path" } }, "list: a path"],
    [{ anyOf: [{ type: "boolean" }, { type: "array", items: { enum: ["a"] } }] }, "`true`, `false`, or list: `a`"],
  ])("%j may be %s", (schema, text) => {
    expect(typeOf(schema)).toBe(text);
  });
});

describe("the editors' schema", () => {
  const schema = z.fromJSONSchema(JSON.parse(editorSchema()) as Parameters<typeof z.fromJSONSchema>[0]);
  const isTaken = (config: object) => schema.safeParse({ config }).success;

  test.each(globSync("Pulumi.*.yaml"))("takes %s, which names it", (path) => {
    const text = readFileSync(path, "utf8");
    expect(text.split("\n")[0]).toBe(`# yaml-language-server: $schema=${editorSchemaFile}`);
    expect(schema.safeParse(parse(text)).error).toBeUndefined();
  });

  test.each([
    { "orion:phase": "mvp", "hcloud:token": { secure: "v1:a" } },
    { "orion:protection": "false" },
    { "orion:sentryDsn": { secure: "v1:a" } },
    { "orion:app": { secrets: { OPENAI_API_KEY: { secure: "v1:a" } }, environment: { PORT: 8080 } } },
  ])("takes %j", (config) => {
    expect(isTaken(config)).toBe(true);
  });

  test.each([
    { "orion:phase": "production" },
    { "orion:fase": "mvp" },
    { "orion:app": { instnaces: 2 } },
    { "orion:app": { instances: 17 } },
    { "orion:app": { secrets: { OPENAI_API_KEY: "sk-1" } } },
    { "orion:sentryDsn": "https://key@sentry.example.com/1" },
  ])("refuses %j", (config) => {
    expect(isTaken(config)).toBe(false);
  });
});

describe("Pulumi.yaml", () => {
  test("only the part from config: on is written", () => {
    expect(withSettings("name: orion\nconfig:\n  old: {}\n")).toMatch(/^name: orion\nconfig:\n {2}phase:\n/);
  });

  test("without that part it is refused", () => {
    expect(() => withSettings("name: orion\n")).toThrow("Pulumi.yaml has no line 'config:'");
  });
});
