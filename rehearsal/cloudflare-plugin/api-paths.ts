/** Builds the API path of a resource from its properties, and parses its import id. Pure. */
import type { Resource } from "./resources.ts";
import type { Values } from "./values.ts";

/** `{scope}` in a path: the zone or account that a ruleset belongs to. */
const scopeOf = ({ zoneId, accountId }: Values): string =>
  typeof zoneId === "string" ? `/zones/${zoneId}` : `/accounts/${String(accountId)}`;

/**
 * Fills the properties into a path template.
 *
 * @throws {Error} when a property is missing
 */
export function fill(template: string, properties: Values): string {
  return template.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    if (name === "scope") return scopeOf(properties);
    const value = properties[name];
    if (typeof value !== "string" || value === "") throw new Error(`${name} is missing; ${template} needs it`);
    return template.startsWith("/") ? encodeURIComponent(value) : value;
  });
}

/** The properties that occur in a resource's paths. */
export const pathProperties = ({ create, item }: Resource): string[] =>
  [...`${create.path}${item}`.matchAll(/\{(\w+)\}/g)].flatMap(([, name = ""]) =>
    name === "scope" ? ["zoneId", "accountId"] : [name],
  );

/**
 * Parses an import id into properties.
 *
 * @throws {Error} with the expected format
 */
export function parseImportId({ importId, module }: Resource, id: string): Values {
  const parts = id.split("/");
  const needed = importId.filter((name) => name !== "jurisdiction").length;
  if (parts.length < needed || parts.length > importId.length || parts.includes("")) {
    const form = importId.map((name) => `<${name}>`).join("/");
    throw new Error(`${JSON.stringify(id)} is not the import id of a ${module}; expected ${form}`);
  }
  const named = Object.fromEntries(parts.map((part, index) => [importId[index] ?? "", part]));
  const { scopeKind, scopeId, ...rest } = named;
  if (scopeKind === undefined) return rest;
  return { ...rest, [scopeKind === "zones" ? "zoneId" : "accountId"]: scopeId };
}
