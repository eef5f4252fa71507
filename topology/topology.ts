/** The plan of a stack as plain data: which servers and services exist, where they are and how they are reached. */
import type { Phase, Settings } from "../config/schema.ts";
import { catalogue } from "./catalogue.ts";
import type { LoadBalancer, Server } from "./server.ts";
import type { Service, ServiceKind, ServiceOf } from "./service.ts";

export interface Topology {
  readonly stack: string;
  /** For labels alone: what a stack has follows from its traits. */
  readonly phase: Phase;
  readonly hosting: Settings["hosting"];
  /** Empty with a local Docker Engine. */
  readonly servers: readonly Server[];
  readonly services: readonly Service[];
  /** Empty where visitors reach an edge directly. */
  readonly loadBalancers: readonly LoadBalancer[];
}

/** Whether the stack runs on servers, and not on the Docker Engine of this machine. */
export const hasServers = ({ hosting }: Pick<Topology, "hosting">): boolean => hosting === "hetzner";

/** The role label. It never changes: a promoted replica keeps `replica`, because a label change would replace its container. */
export const labelledKind = (service: Service): ServiceKind =>
  service.kind === "database" && service.follows !== undefined ? "replica" : service.kind;

/** The services that have a container as long as the stack is up; the others run to their end now and then. */
export const lastingServices = ({ services }: Topology): readonly Service[] =>
  services.filter(({ kind }) => catalogue[kind].runs === "always");

/** The services of one kind, in the order of the plan. */
export const servicesOf = <Kind extends ServiceKind>(
  { services }: Pick<Topology, "services">,
  kind: Kind,
): readonly ServiceOf<Kind>[] =>
  services.filter((service): service is ServiceOf<Kind> & Service => service.kind === kind);

/** Services by the machine that they run on, in the order in which the machines come. */
export function byServer<Planned extends Service>(
  services: readonly Planned[],
): { readonly server: string; readonly first: Planned; readonly services: readonly Planned[] }[] {
  const groups = new Map<string, Planned[]>();
  for (const service of services) groups.set(service.server, [...(groups.get(service.server) ?? []), service]);
  return [...groups].flatMap(([server, group]) =>
    group.slice(0, 1).map((first) => ({ server, first, services: group })),
  );
}
