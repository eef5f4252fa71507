/** The memory of Hetzner's server types. Pure. */

/** GB of memory by server type (Hetzner's price list, 29 Sep 2026). */
const memoryGb: Readonly<Record<string, number>> = {
  ...{ cx23: 4, cx33: 8, cx43: 16, cx53: 32 },
  ...{ cax11: 4, cax21: 8, cax31: 16, cax41: 32 },
  ...{ cpx12: 2, cpx22: 4, cpx32: 8, cpx42: 16, cpx52: 24, cpx62: 32 },
  ...{ ccx13: 8, ccx23: 16, ccx33: 32, ccx43: 64, ccx53: 128, ccx63: 192 },
};

/** Memory of the smallest of those types that are known, in MiB; undefined when none of them is. */
export function smallestMemoryMb(types: readonly string[]): number | undefined {
  const known = types.flatMap((type) => memoryGb[type] ?? []);
  return known.length === 0 ? undefined : Math.min(...known) * 1024;
}

/** Those of these types whose memory is not known here. */
export const unknownTypes = (types: readonly string[]): string[] => types.filter((type) => !(type in memoryGb));

/**
 * The memory that PostgreSQL gets on servers of these types, in MiB: three eighths of the smallest one's, since Redis, and in
 * phase mvp every other service, runs on the same server. It is the same in every phase: a change would restart the primary
 * in the middle of a move.
 *
 * @returns undefined when a type is not known
 */
export function databaseMemoryMb(types: readonly string[]): number | undefined {
  const memoryMb = smallestMemoryMb(types);
  // An unknown one may be the smallest.
  return memoryMb === undefined || unknownTypes(types).length > 0 ? undefined : (memoryMb * 3) / 8;
}
