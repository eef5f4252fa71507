/** Formats a message about a setting: its key, the value found, what is allowed. */
export function line(key: string, got: unknown, allowed: string): string {
  const value = got === undefined ? "nothing" : JSON.stringify(got);
  return `orion:${key}: got ${value}, allowed: ${allowed}`;
}

/** The end of such a message, where what was meant can be guessed. */
export const didYouMean = (word: string | undefined): string => (word === undefined ? "" : `; did you mean ${word}?`);
