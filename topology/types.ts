/** The plan of a stack as plain data: which servers and services exist, where they are and how they are reached. */
import { type Phase, type Queue } from "../config/schema.ts";

/** The private network of every phase that has servers. */
export const privateNetwork = { range: "10.20.0.0/16", subnet: "10.20.1.0/24", zone: "eu-central" } as const;

export type ServerRole = "core" | "db" | "cache" | "app" | "worker" | "monitor";

export interface Server {
  /** `core-1`, `app-2`: part of the logical name, therefore for ever. */
  readonly name: string;
  readonly role: ServerRole;
  readonly location: string;
  /** Server types in order of preference. */
  readonly types: readonly string[];
  /** Static address in {@link privateNetwork}. */
  readonly privateAddress: string;
  /** GB of the attached Volume that holds data; 0: the server keeps none. */
  readonly volumeGb: number;
  /** Whether the public address takes web traffic. */
  readonly publicWeb: boolean;
}

/** Whether others know the server's public address: visitors, or whoever reaches what it holds. */
export const keepsAddress = ({ volumeGb, publicWeb }: Server): boolean => volumeGb > 0 || publicWeb;

/** What spreads visitors over the edges of several servers. */
export interface LoadBalancer {
  /** `balancer-1`: part of the logical name, therefore for ever. */
  readonly name: string;
  readonly location: string;
  /** Static address in {@link privateNetwork}. */
  readonly privateAddress: string;
}

export type ServiceKind =
  | "database"
  | "test-database"
  | "replica"
  | "pgbouncer"
  | "etcd"
  | "backup"
  | "cache"
  | "broker"
  | "cache-replica"
  | "sentinel"
  | "release"
  | "app"
  | "worker"
  | "beat"
  | "flower"
  | "edge"
  | "docs"
  | "exporter"
  | "monitoring";

/** A port of a container, as others reach it. */
export interface Published {
  readonly address: string;
  /** The port at {@link address}. */
  readonly port: number;
  /** The port inside the container. */
  readonly containerPort: number;
}

export interface Service {
  /** Its logical name: `database`, `app-1`, `worker-emails-1`. */
  readonly name: string;
  readonly kind: ServiceKind;
  /** The {@link Server.name} it runs on, or `local` for the local Docker Engine. */
  readonly server: string;
  /** The container's name. */
  readonly container: string;
  readonly published: readonly Published[];
  /** A replica: host and port of the server that it follows. A database that was a replica: of the one that it followed. */
  readonly follows?: string;
  /** Workers: the queues that it takes tasks from. */
  readonly queues?: readonly Queue[];
  /** Workers: how many tasks at once. */
  readonly concurrency?: number;
}

/** What a container is labelled as, for ever: a replica that has become the primary is made anew by no label. */
export const labelledKind = ({ kind, follows }: Service): ServiceKind =>
  kind === "database" && follows !== undefined ? "replica" : kind;

export interface Topology {
  readonly stack: string;
  readonly phase: Phase;
  readonly servers: readonly Server[];
  readonly services: readonly Service[];
  /** Empty before phase scale. */
  readonly loadBalancers: readonly LoadBalancer[];
}

/** The services that have a container for as long as the stack is up; the others run now and then, to their end. */
export const lastingServices = ({ services }: Topology): readonly Service[] =>
  services.filter(({ kind }) => kind !== "release" && kind !== "backup");

/** Services by the machine that they run on, in the order in which the machines come. */
export function byServer(services: readonly Service[]): {
  readonly server: string;
  readonly first: Service;
  readonly services: readonly Service[];
}[] {
  const groups = new Map<string, Service[]>();
  for (const service of services) groups.set(service.server, [...(groups.get(service.server) ?? []), service]);
  return [...groups].flatMap(([server, group]) =>
    group.slice(0, 1).map((first) => ({ server, first, services: group })),
  );
}

/** The services of one kind, in the order of their names. */
export const servicesOf = (topology: Topology, kind: ServiceKind): readonly Service[] =>
  topology.services.filter((service) => service.kind === kind);
