/** Whole days since an ISO time or date. */
export const daysSince = (time: string, now: Date): number =>
  Math.floor((now.getTime() - new Date(time).getTime()) / 86_400_000);
