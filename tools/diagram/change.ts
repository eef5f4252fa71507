/** What a move does to each element of a diagram. Pure. */
import { groupId, balancerId } from "./links.ts";
import type { Inventory } from "../plan/inventory.ts";

export type Change = "new" | "changed" | "gone" | "same";

/** The change of an element by its id; `same` where it has none. */
export type Changes = (id: string) => Change;

/** The id of a server. */
export const serverId = (name: string): string => `server/${name}`;

/** Compares two plans element by element: servers, load balancers and groups of services. */
export function changesBetween(before: Inventory, after: Inventory): Changes {
  const [was, is] = [elementsOf(before), elementsOf(after)];
  return (id) => {
    const [old, now] = [was.get(id), is.get(id)];
    if (old === undefined) return now === undefined ? "same" : "new";
    if (now === undefined) return "gone";
    return old === now ? "same" : "changed";
  };
}

/** Each element with the text of what a move can change of it. */
function elementsOf({ servers, loadBalancers, services }: Inventory): Map<string, string> {
  const elements = new Map<string, string>();
  for (const server of servers) elements.set(serverId(server.name), JSON.stringify(server));
  for (const balancer of loadBalancers) elements.set(balancerId(balancer.name), JSON.stringify(balancer));
  for (const service of services) {
    const id = groupId(service);
    elements.set(id, `${elements.get(id) ?? ""}${JSON.stringify(service)}`);
  }
  return elements;
}

/** Both plans as one, for a picture that shows what goes as well as what comes. */
export function union(before: Inventory, after: Inventory): Inventory {
  const more = <One extends { readonly name: string }>(of: readonly One[], other: readonly One[]) => [
    ...of,
    ...other.filter(({ name }) => !of.some((one) => one.name === name)),
  ];
  const isThere = new Set(after.services.map(groupId));
  return {
    ...after,
    servers: more(after.servers, before.servers),
    loadBalancers: more(after.loadBalancers, before.loadBalancers),
    services: [...after.services, ...before.services.filter((service) => !isThere.has(groupId(service)))],
  };
}
