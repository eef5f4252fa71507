/** The memory of Hetzner's server types. Pure. */

/** GB of memory by server type (Hetzner's price list, 29 Sep 2026). */
const memoryGb: Readonly<Record<string, number>> = {
  ...{ cx23: 4, cx33: 8, cx43: 16, cx53: 32 },
  ...{ cax11: 4, cax21: 8, cax31: 16, cax41: 32 },
  ...{ cpx12: 2, cpx22: 4, cpx32: 8, cpx42: 16, cpx52: 24, cpx62: 32 },
  ...{ ccx13: 8, ccx23: 16, ccx33: 32, ccx43: 64, ccx53: 128, ccx63: 192 },
};

/** Memory of the smallest of several server types, in MiB; undefined when one of them is not known. */
export function smallestMemoryMb(types: readonly string[]): number | undefined {
  const known = types.map((type) => memoryGb[type]);
  const least = Math.min(...known.map((one) => one ?? Number.NaN));
  return Number.isNaN(least) ? undefined : least * 1024;
}

/**
 * The memory that PostgreSQL gets on servers of these types, in MiB: three eighths of the smallest one's, since Redis, and in
 * phase mvp every other service, runs on the same server. It is the same in every phase: a change would restart the primary
 * in the middle of a move.
 *
 * @returns undefined when a type is not known
 */
export function databaseMemoryMb(types: readonly string[]): number | undefined {
  const memoryMb = smallestMemoryMb(types);
  return memoryMb === undefined ? undefined : (memoryMb * 3) / 8;
}
