/** Helpers with which service definitions plan their services: placement, names, ports. Pure. */
import type { Settings } from "../config/schema.ts";
import { physicalName, serviceName } from "./naming.ts";
import type { LoadBalancer, Server, ServerRole } from "./server.ts";
import type { BaseService, Published } from "./service.ts";

export interface Planning {
  readonly stack: string;
  readonly settings: Settings;
  /** Empty with a local Docker Engine. */
  readonly servers: readonly Server[];
  readonly loadBalancers: readonly LoadBalancer[];
}

/** A machine that services run on. */
export interface Placement {
  /** The server's name, or {@link localPlacement}'s. */
  readonly name: string;
  /** Where services publish their ports: a private address, or loopback. */
  readonly address: string;
  /** Whether visitors reach its public address. */
  readonly publicWeb: boolean;
}

export const loopback = "127.0.0.1";

/** This machine's Docker Engine. */
export const localPlacement: Placement = { name: "local", address: loopback, publicWeb: false };

export const isLocal = ({ settings }: Pick<Planning, "settings">): boolean => settings.hosting === "local";

export const placementOn = ({ name, privateAddress, publicWeb }: Server): Placement => ({
  ...{ name, address: privateAddress, publicWeb },
});

/** The servers of a role. */
export const serversOf = ({ servers }: Pick<Planning, "servers">, role: ServerRole): readonly Placement[] =>
  servers.filter((server) => server.role === role).map(placementOn);

/** The server with the primary; services without dedicated servers run there too. */
export function coreOf(planning: Planning): Placement {
  if (isLocal(planning)) return localPlacement;
  const [core] = serversOf(planning, "core");
  if (!core) throw new Error("The plan has no server with the role core; topology/fleet.ts must plan one.");
  return core;
}

/** The servers of a role, or the core server as long as there are none. */
export function placesFor(planning: Planning, role: "app" | "worker"): readonly Placement[] {
  const own = serversOf(planning, role);
  return own.length > 0 ? own : [coreOf(planning)];
}

/** Where Redis has its replicas and Sentinel its members. */
export const redisReplicas = (planning: Planning): readonly Placement[] =>
  planning.settings.cache.mode === "provision" ? serversOf(planning, "cache") : [];

/** One port, published where the service runs. */
export const publish = ({ address }: Placement, containerPort: number, port = containerPort): readonly Published[] => [
  { address, port, containerPort },
];

export interface ServiceSpec<Kind extends string> {
  readonly kind: Kind;
  readonly at: Placement;
  readonly memoryMb: number;
  /** @default - none */
  readonly published?: readonly Published[];
  /** Suffix that distinguishes several of the kind on one machine: `emails`, `2`. */
  readonly part?: string;
  /** @default - made of kind, server and part */
  readonly name?: string;
}

/** A service, with names made of its kind and server. */
export function serviceAt<Kind extends string>(
  { stack }: Planning,
  { kind, at, memoryMb, published = [], part, name = serviceName(kind, at.name, part) }: ServiceSpec<Kind>,
): BaseService<Kind> {
  return { name, kind, server: at.name, container: physicalName({ stack }, name), published, memoryMb };
}

/** A service that a stack has once: its name is its kind. */
export const onlyService = <Kind extends string>(
  planning: Planning,
  spec: Omit<ServiceSpec<Kind>, "part" | "name">,
): BaseService<Kind> => serviceAt(planning, { ...spec, name: spec.kind });
