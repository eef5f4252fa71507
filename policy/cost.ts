/** Computes the monthly cost of a graph's resources at Hetzner. Pure. */
import { priceList, priceOf } from "../config/prices.ts";
import type { Graph, Recorded } from "./graph.ts";
import { types } from "./stateful.ts";

export interface Item {
  /** `servers`, `Volumes`, `load balancers`, `addresses`. */
  readonly what: string;
  readonly count: number;
  /** € per month, net. */
  readonly monthly: number;
}

export interface Cost {
  readonly items: readonly Item[];
  readonly monthly: number;
  /** Names of resources whose type is not in the price list; the sum does not include them. */
  readonly unpriced: readonly string[];
}

const kinds: Readonly<
  Record<string, { readonly what: string; readonly price: (one: Recorded) => number | undefined }>
> = {
  [types.server]: { what: "servers", price: ({ inputs }) => priceOf(priceList.server, inputs["serverType"]) },
  [types.volume]: { what: "Volumes", price: ({ inputs }) => Number(inputs["size"]) * priceList.volumeGb },
  [types.loadBalancer]: {
    what: "load balancers",
    price: ({ inputs }) => priceOf(priceList.loadBalancer, inputs["loadBalancerType"]),
  },
  [types.primaryIp]: { what: "addresses", price: () => priceList.primaryIpv4 },
};

/** € rounded to cents. */
export const cents = (euro: number): number => Math.round(euro * 100) / 100;

/** The monthly cost of servers, Volumes, load balancers and addresses. */
export function costOf({ resources }: Graph): Cost {
  const priced = resources.flatMap((resource) => {
    const kind = kinds[resource.type];
    return kind ? [{ what: kind.what, price: kind.price(resource), resource }] : [];
  });
  const items = Object.values(kinds).map(({ what }) => {
    const of = priced.filter((one) => one.what === what);
    return { what, count: of.length, monthly: of.reduce((sum, { price = 0 }) => sum + price, 0) };
  });
  const unpriced = priced.filter(({ price }) => price === undefined).map(({ resource }) => resource.name);
  return { items, monthly: items.reduce((sum, { monthly }) => sum + monthly, 0), unpriced };
}
