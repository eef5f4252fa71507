/** Hetzner's prices of everything that a stack can have there. Pure. */

/** € per month, net, without VAT, traffic and backups. */
export const priceList = {
  source: "Hetzner's price list for its locations in the EU",
  date: "2026-09-29",
  server: {
    ...{ cx23: 5.49, cx33: 8.49, cx43: 15.99, cx53: 29.49 },
    ...{ cax11: 5.99, cax21: 10.49, cax31: 20.99, cax41: 40.99 },
    ...{ cpx12: 11.49, cpx22: 19.49, cpx32: 35.49, cpx42: 69.49, cpx52: 100.49, cpx62: 129.99 },
    ...{ ccx13: 42.99, ccx23: 85.99, ccx33: 138.49, ccx43: 275.99, ccx53: 533.49, ccx63: 853.49 },
  },
  /** lb11 of that date; the larger ones of March 2026. */
  loadBalancer: { lb11: 7.49, lb21: 16.4, lb31: 32.9 },
  /** A GB of a Volume. */
  volumeGb: 0.0572,
  primaryIpv4: 0.5,
} as const;

/** The price of a type, undefined when it is not known. */
export function priceOf(list: Readonly<Record<string, number>>, type: unknown): number | undefined {
  return typeof type === "string" && Object.hasOwn(list, type) ? list[type] : undefined;
}
