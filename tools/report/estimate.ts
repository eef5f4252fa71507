/** How long what depends on the amount of data takes in production, from bytes and the rates that a rehearsal measured. Pure. */
export interface MeasuredWork {
  readonly what: string;
  /** Bytes that were worked on. */
  readonly bytes: number;
  readonly seconds: number;
}

export interface Estimate extends MeasuredWork {
  /** Bytes per second. */
  readonly rate: number;
  /** Bytes in production. */
  readonly productionBytes: number;
  readonly productionSeconds: number;
}

/** Work of less than this many bytes measures the start of programs, not a rate. */
const leastBytes = 1_000_000;

/**
 * @param share bytes of the database in production, for each byte of the database here
 * @returns work whose rate says nothing takes as long as here
 */
export function estimateOf({ what, bytes, seconds }: MeasuredWork, share: number): Estimate {
  const productionBytes = Math.round(bytes * share);
  const rate = bytes / Math.max(seconds, 0.001);
  const longer = bytes < leastBytes ? 1 : Math.max(1, share);
  return { what, bytes, seconds, rate, productionBytes, productionSeconds: seconds * longer };
}
