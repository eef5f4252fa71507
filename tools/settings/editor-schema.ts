/** The JSON Schema of a stack's file, by which editors complete and check it. Pure. */
import { secretKeys, secretMeanings } from "../../config/schema.ts";
import { type Schema, settings } from "./schema.ts";

/** Where editors find it; `.vscode/settings.json` and the first line of the stacks' files name it. */
export const editorSchemaFile = "config/stack-file.schema.json";

const encrypted = (description: string): Schema & object => ({
  description: `Secret: npx pulumi config set --secret. ${description}`,
  type: "object",
  properties: { secure: { type: "string" } },
  additionalProperties: false,
});

/** What `pulumi config set` writes: values at the top are texts. */
const orText = (schema: Schema): Schema => {
  if (schema.type !== "boolean") return schema;
  const { description = "", ...rest } = schema;
  return { description, anyOf: [rest, { enum: ["true", "false"] }] };
};

const withoutPrefix = (key: string): string => key.slice("orion:".length);

export function editorSchema(): string {
  const own = Object.entries(settings).map(([key, schema]) => [`orion:${key}`, withSecretsOfApp(key, orText(schema))]);
  const secrets = secretKeys.map((key) => [`orion:${key}`, encrypted(secretMeanings[key])]);
  const properties = Object.fromEntries([...own, ...secrets]) as Readonly<Record<string, Schema>>;
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A stack of the Orion platform",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties,
        // Keys without orion: belong to the providers, such as hcloud:token.
        patternProperties: { [`^orion:(?!(${Object.keys(properties).map(withoutPrefix).join("|")})$)`]: false },
      },
    },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** In the file, `app.secrets` has values, each encrypted; the program knows their names alone. */
function withSecretsOfApp(key: string, schema: Schema): Schema {
  if (key !== "app") return schema;
  const { description = "", items = {} } = schema.properties?.["secrets"] ?? {};
  const secrets: Schema = {
    description,
    type: "object",
    propertyNames: items,
    additionalProperties: encrypted("One of the image's own."),
  };
  return { ...schema, properties: { ...schema.properties, secrets } };
}
