/** The plan of a stack as plain data: which servers and services exist, where they are and how they are reached. */
import type { Phase, Settings } from "../config/schema.ts";
import { catalogue } from "./catalogue.ts";
import type { LoadBalancer, Server } from "./server.ts";
import type { Service, ServiceKind, ServiceOf } from "./service.ts";

export interface Topology {
  readonly stack: string;
  /** Used for labels only: the traits decide what a stack has. */
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

/** The services whose containers always run; the others run once in an update or by a timer. */
export const lastingServices = ({ services }: Topology): readonly Service[] =>
  services.filter(({ kind }) => catalogue[kind].runs === "always");

/** The services of one kind, in the order of the plan. */
export const servicesOf = <Kind extends ServiceKind>(
  { services }: Pick<Topology, "services">,
  kind: Kind,
): readonly ServiceOf<Kind>[] =>
  services.filter((service): service is ServiceOf<Kind> & Service => service.kind === kind);

/** Services grouped by the machine that they run on, in the order of the list. */
export function byServer<Planned extends Service>(
  services: readonly Planned[],
): { readonly server: string; readonly first: Planned; readonly services: readonly Planned[] }[] {
  const groups = new Map<string, Planned[]>();
  for (const service of services) groups.set(service.server, [...(groups.get(service.server) ?? []), service]);
  return [...groups].flatMap(([server, group]) =>
    group.slice(0, 1).map((first) => ({ server, first, services: group })),
  );
}
