/** Decodes a value of a stack's configuration from the text that the engine passes. Pure. */

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
