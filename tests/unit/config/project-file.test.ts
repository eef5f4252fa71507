/** Pulumi.yaml describes the configuration to whoever looks there; what it says is what the schema takes. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { standardEngine } from "../../../common/docker-host.ts";
import { parseConfig } from "../../../config/parse.ts";
import { presets } from "../../../config/presets.ts";
import { settingsSchema } from "../../../config/schema.ts";

const keySchema = z.object({ type: z.string(), description: z.string(), default: z.unknown().optional() });
const described = z
  .object({ config: z.record(z.string(), keySchema) })
  .parse(parse(readFileSync("Pulumi.yaml", "utf8")));

const keys = Object.entries(settingsSchema.shape);

test("every key is described, and no other", () => {
  expect(Object.keys(described.config).sort()).toEqual(keys.map(([key]) => key).sort());
});

test.each(
  keys.flatMap(([key, schema]) => (schema instanceof z.ZodObject ? [[key, Object.keys(schema.shape)] as const] : [])),
)("the description of %s names what is in it", (key, inner) => {
  const description = described.config[key]?.description ?? "";
  expect(inner.filter((name) => !new RegExp(`\\b${name}\\b`).test(description))).toEqual([]);
});

test("the defaults that the engine fills in are those of the development phase", () => {
  const values = Object.fromEntries(Object.entries(described.config).map(([key, { default: value }]) => [key, value]));
  const { settings } = parseConfig({ values: { ...values, phase: "development" }, secrets: new Set() });
  expect(settings).toEqual({ phase: "development", ...presets.development, dockerHost: standardEngine });
});
