/** Values of `orion:app.environment` that contain others: `${DATABASE_URL}`, and `$$` for a dollar sign. Pure. */

/** A part of a value: a text, or the value of a variable without a prefix. */
export type Part = string | { readonly name: string; readonly without: string };

/**
 * The parts of a value, in their order. `${NAME#prefix}` is the variable without that prefix, as in a shell: an app whose
 * driver has a scheme of its own takes `postgresql+asyncpg://${DATABASE_URL#postgresql://}`.
 */
export function partsOf(text: string): Part[] {
  const form = /\$\$|\$\{([A-Z][A-Z0-9_]*)(?:#([^}]*))?\}/g;
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(form)) {
    parts.push(text.slice(end, found.index));
    const [, name, without = ""] = found;
    parts.push(name === undefined ? "$" : { name, without });
    end = found.index + found[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

/** The variables that a value contains. */
export const namesIn = (text: string): string[] =>
  partsOf(text).flatMap((part) => (typeof part === "string" ? [] : [part.name]));

/** The value, with the values of the variables in it. */
export const filledIn = (text: string, values: Readonly<Record<string, string>>): string =>
  partsOf(text)
    .map((part) => {
      if (typeof part === "string") return part;
      const value = values[part.name] ?? "";
      return value.startsWith(part.without) ? value.slice(part.without.length) : value;
    })
    .join("");
