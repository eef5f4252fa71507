/** Reads values of a stack's configuration: the texts that the engine passes, and what a stack's file holds encrypted. Pure. */

/** The engine hands every value over as text; what is JSON there was structured in the file. */
export function decode(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // A number of more digits than a double holds, such as an id, was text.
    return typeof value === "number" && String(value) !== text ? text : value;
  } catch {
    return text;
  }
}

/** The paths of the values below a key that a stack's file holds encrypted: `app.secrets.OPENAI_API_KEY`. */
export function encryptedPaths(key: string, value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  if ("secure" in value) return [key];
  return Object.entries(value).flatMap(([name, inner]) => encryptedPaths(`${key}.${name}`, inner));
}
