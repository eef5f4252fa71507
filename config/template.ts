/** Values of `orion:app.environment` that contain others: `${DATABASE_URL}`, and `$$` for a dollar sign. Pure. */

import { decoded, defaultPorts } from "./external-url.ts";

/** What can be taken out of a URL. */
export const urlParts = ["user", "password", "host", "port", "name"] as const;

/** A part of a value: a text, or the value of a variable without a prefix, or a part of the URL that it is. */
export type Part = string | { readonly name: string; readonly without: string; readonly part?: string };

/**
 * The parts of a value, in their order. `${NAME#prefix}` is the variable without that prefix, as in a shell: an app whose
 * driver has a scheme of its own takes `postgresql+asyncpg://${DATABASE_URL#postgresql://}`. `${NAME.host}` is a part of a URL,
 * for an app that has a variable for each.
 */
export function partsOf(text: string): Part[] {
  const form = /\$\$|\$\{([A-Z][A-Z0-9_]*)(?:#([^}]*)|\.(\w+))?\}/g;
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(form)) {
    parts.push(text.slice(end, found.index));
    const [, name, without = "", part] = found;
    parts.push(name === undefined ? "$" : { name, without, ...(part !== undefined && { part }) });
    end = found.index + found[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

/** The variables that a value contains. */
export const namesIn = (text: string): string[] =>
  partsOf(text).flatMap((part) => (typeof part === "string" ? [] : [part.name]));

/** What begins like a variable of a value and is none: a name in lower case, a brace that is missing. */
export const misspeltIn = (text: string): string[] =>
  partsOf(text).flatMap((part) => (typeof part === "string" ? (part.match(/\$\{[^}]*\}?/g) ?? []) : []));

/** The parts of URLs that a value contains and that no URL has, as they are written: `${DATABASE_URL.hots}`. */
export const unknownPartsIn = (text: string): string[] =>
  partsOf(text).flatMap((one) =>
    typeof one === "string" || one.part === undefined || isPart(one.part) ? [] : [`\${${one.name}.${one.part}}`],
  );

const isPart = (part: string): part is (typeof urlParts)[number] => urlParts.some((known) => known === part);

/** The value, with the values of the variables in it. */
export const filledIn = (text: string, values: Readonly<Record<string, string>>): string =>
  partsOf(text)
    .map((part) => {
      if (typeof part === "string") return part;
      const value = values[part.name] ?? "";
      if (part.part !== undefined) return isPart(part.part) ? urlPart(value, part.part) : "";
      return value.startsWith(part.without) ? value.slice(part.without.length) : value;
    })
    .join("");

/** A part of a URL, without its encoding; the port is the scheme's own where the URL has none. */
function urlPart(text: string, part: (typeof urlParts)[number]): string {
  if (!URL.canParse(text)) return "";
  const { protocol, username, password, hostname, port, pathname } = new URL(text);
  const [scheme = ""] = protocol.split(/[:+]/);
  const parts = {
    user: username,
    password,
    host: hostname,
    port: port || String(defaultPorts[scheme] ?? ""),
    name: pathname.slice(1),
  };
  return decoded(parts[part]);
}
