/** What R2 wants of the parts of an upload, which other S3 servers do not: all of the same size, but for a smaller last one. Pure. */

/** The numbers of the parts of which a client wants an object to be made, in its order. */
export const partsOf = (completion: string): number[] =>
  [...completion.matchAll(/<PartNumber>\s*(\d+)\s*<\/PartNumber>/g)].map(([, number]) => Number(number));

/**
 * Whether R2 makes an object of parts of these sizes, in the order of their numbers.
 *
 * @param sizes bytes of each part; undefined: there is no such part, which the storage itself refuses
 */
export function areEqual(sizes: readonly (number | undefined)[]): boolean {
  const [first] = sizes;
  const last = sizes.at(-1);
  if (first === undefined || last === undefined) return true;
  return sizes.slice(0, -1).every((size) => size === undefined || size === first) && last <= first;
}
