/** The description of the settings in Pulumi.yaml, which the engine reads and fills in its defaults from. Pure. */
import { stringify } from "yaml";
import { presets } from "../../config/presets.ts";
import { phases } from "../../config/schema.ts";
import { type Schema, settings } from "./schema.ts";

const head = "config:\n";

/**
 * Pulumi.yaml with `config:`, its last part, as the settings are now.
 *
 * @throws {Error} when it has no `config:`
 */
export function withSettings(projectFile: string): string {
  const at = projectFile.indexOf(`\n${head}`);
  if (at === -1) throw new Error("Pulumi.yaml has no line 'config:'");
  const described = Object.fromEntries(
    Object.entries(settings).map(([key, schema]) => [
      key,
      {
        type: typeOf(schema),
        ...(schema.type === "array" && { items: { type: "string" } }),
        ...(key !== "phase" && { default: defaultOf(key, schema) }),
        description: descriptionOf(schema),
      },
    ]),
  );
  return projectFile.slice(0, at + 1) + stringify({ config: described }, { lineWidth: 0 });
}

const typeOf = ({ type = "string" }: Schema): string => type;

/** The engine fills in one default for all phases: the one that they share, or an empty text, which config/parse.ts ignores. */
function defaultOf(key: string, { type }: Schema): unknown {
  if (type === "object") return {};
  const values = phases.map((phase) => (presets[phase] as Readonly<Record<string, unknown>>)[key]);
  const [first = ""] = values;
  return values.every((value) => JSON.stringify(value) === JSON.stringify(values[0])) ? first : "";
}

function descriptionOf({ description = "", properties }: Schema): string {
  if (properties === undefined) return description;
  return `${description} Keys: ${Object.keys(properties).join(", ")}; docs/settings.md describes them.`;
}
