/** Where a resource lies in the API, and what its id says of that. Pure. */
import type { Resource } from "./resources.ts";
import type { Values } from "./values.ts";

/** `{scope}` is the zone or the account that a ruleset belongs to. */
const scopeOf = ({ zoneId, accountId }: Values): string =>
  typeof zoneId === "string" ? `/zones/${zoneId}` : `/accounts/${String(accountId)}`;

/**
 * A template with the properties filled in.
 *
 * @throws {Error} when one is missing
 */
export function fill(template: string, properties: Values): string {
  return template.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    if (name === "scope") return scopeOf(properties);
    const value = properties[name];
    if (typeof value !== "string" || value === "") throw new Error(`${name} is not known, and ${template} needs it`);
    return template.startsWith("/") ? encodeURIComponent(value) : value;
  });
}

/** The properties that a resource's addresses are made of. */
export const pathProperties = ({ create, item }: Resource): string[] =>
  [...`${create.path}${item}`.matchAll(/\{(\w+)\}/g)].flatMap(([, name = ""]) =>
    name === "scope" ? ["zoneId", "accountId"] : [name],
  );

/**
 * The properties that an import id carries.
 *
 * @throws {Error} saying what an id looks like
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
