/** Whether a value is an object with named entries: neither null nor an array. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The entries of a map whose order means nothing, so that a file which only swaps some of them changes nothing. */
export const sortedByName = <Value>(map: Readonly<Record<string, Value>>): [string, Value][] =>
  Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1));
