/** Memory, disk and architecture of Hetzner's server types. Pure. */
import type { TypeFacts } from "../common/hetzner.ts";

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

/** GB of the disk that a server is created with, by its type; also of types that are sold no more (Hetzner's price lists, 29 Sep 2026). */
const diskGb: Readonly<Record<string, number>> = {
  ...{ cx11: 20, cx22: 40, cx32: 80, cx42: 160, cx52: 320 },
  ...{ cx23: 40, cx33: 80, cx43: 160, cx53: 320 },
  ...{ cax11: 40, cax21: 80, cax31: 160, cax41: 320 },
  ...{ cpx11: 40, cpx21: 80, cpx31: 160, cpx41: 240, cpx51: 360 },
  ...{ cpx12: 40, cpx22: 80, cpx32: 160, cpx42: 320, cpx52: 480, cpx62: 640 },
  ...{ ccx13: 80, ccx23: 160, ccx33: 240, ccx43: 360, ccx53: 600, ccx63: 960 },
};

/** What a server that was created with a type keeps; undefined when the type is not known. */
export function factsOfType(type: string): TypeFacts | undefined {
  const gb = diskGb[type];
  return gb === undefined ? undefined : { diskGb: gb, architecture: type.startsWith("cax") ? "arm" : "x86" };
}
