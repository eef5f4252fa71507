/** The connections that a diagram draws: the way of a visitor to the apps, and of the data behind them. Pure. */
import { definitionOf } from "../../topology/catalogue.ts";
import { imageKinds } from "../../topology/services/image.ts";
import type { ServiceKind } from "../../topology/service.ts";
import type { Inventory, PlannedService } from "../plan/inventory.ts";

export interface Link {
  /** Ids of nodes, as {@link groupId} and {@link outside} make them. */
  readonly from: string;
  readonly to: string;
  /** `visitor`: requests; `data`: queries, tasks and files; `copy`: replication and backups. */
  readonly way: "visitor" | "data" | "copy";
}

/** Nodes that are no service of the plan. */
export const outside = {
  visitors: "visitors",
  cloudflare: "cloudflare",
  files: "files",
  backups: "backups",
} as const;

/** The node of all services of one kind on one server. */
export const groupId = ({ kind, server }: Pick<PlannedService, "kind" | "server">): string => `${server}/${kind}`;

/** The node of a load balancer. */
export const balancerId = (name: string): string => `balancer/${name}`;

/** Whether Cloudflare is between visitors and the platform, and whether files are in R2. */
export interface Remote {
  readonly cloudflare: boolean;
  readonly r2: boolean;
}

/** All connections of a plan, each once. */
export function linksOf(inventory: Inventory, remote: Remote): Link[] {
  const links = [
    ...visitorLinks(inventory, remote.cloudflare),
    ...serviceLinks(inventory),
    ...copies(inventory),
    ...(remote.r2 ? r2Links(inventory) : []),
  ];
  return [...new Map(links.map((link) => [`${link.from} ${link.to}`, link])).values()];
}

function visitorLinks({ loadBalancers, services, hosting }: Inventory, cloudflare: boolean): Link[] {
  const edges = services.filter(({ kind }) => kind === "edge");
  const apps = services.filter(({ kind }) => kind === "app");
  const entry = cloudflare ? outside.cloudflare : outside.visitors;
  const doors =
    loadBalancers.length > 0
      ? loadBalancers.map(({ name }) => balancerId(name))
      : (hosting === "local" && edges.length === 0 ? apps : edges).map(groupId);
  return [
    ...(cloudflare && doors.length > 0
      ? [{ from: outside.visitors, to: outside.cloudflare, way: "visitor" } as const]
      : []),
    ...doors.map((to): Link => ({ from: entry, to, way: "visitor" })),
    // Each load balancer sends its visitors to the edges of its own location where it has some there, otherwise to all.
    ...loadBalancers.flatMap(({ name }) =>
      edges.map((edge): Link => ({ from: balancerId(name), to: groupId(edge), way: "visitor" })),
    ),
  ];
}

/**
 * Kinds whose servers keep each other in step, or are only watched: lines to them would hide the way of the data. What is
 * copied to a replica is drawn by {@link copies}.
 */
const hidden: readonly string[] = [
  ...["replica", "replica-files", "cache-replica", "broker-replica"],
  ...["sentinel", "etcd", "exporter"],
];

/** Every kind that connects to another one. What publishes no port is reached on its own server only: apps, gateways, poolers. */
function serviceLinks({ services }: Inventory): Link[] {
  const shown = services.filter(({ runs }) => runs === "always");
  const clients: readonly string[] = shown.some(({ kind }) => kind === "gateway") ? imageKinds : [];
  // What is on the way is drawn, not what the plan without a gateway would have.
  const isShort = (client: string, target: string) =>
    clients.includes(client) && definitionOf(target as ServiceKind).callers.includes("gateway");
  return shown
    .filter(({ kind }) => !hidden.includes(kind))
    .flatMap((target) => {
      const callers: readonly string[] = definitionOf(target.kind as ServiceKind).callers;
      return (
        shown
          .filter(({ kind }) => callers.includes(kind) && !hidden.includes(kind))
          .filter(({ server }) => server === target.server || target.ports.length > 0)
          // A Redis follows another one when it comes back; neither is the other's client.
          .filter(({ kind }) => kind !== "cache" && kind !== "broker")
          .filter(({ kind }) => !isShort(kind, target.kind))
          .map((client): Link => ({
            ...{ from: groupId(client), to: groupId(target) },
            way: client.kind === "edge" ? "visitor" : "data",
          }))
      );
    });
}

/** Which kind each replica copies. */
const copied: Readonly<Record<string, string>> = {
  replica: "database",
  "cache-replica": "cache",
  "broker-replica": "broker",
};

/** Replication and backups, in the direction of the data. A backup reads the replica on its own server where there is one. */
function copies({ services }: Inventory): Link[] {
  const sources = services.filter(({ kind }) => kind === "database" || kind === "replica");
  const link = (source: PlannedService | undefined, to: PlannedService): Link[] =>
    source ? [{ from: groupId(source), to: groupId(to), way: "copy" }] : [];
  const read = services.filter(({ kind }) => kind === "replica-files");
  return services.flatMap((service) => {
    const beside = sources.find(({ server }) => server === service.server) ?? sources[0];
    if (service.kind === "backup" || service.kind === "replica-files") return link(beside, service);
    // Of the primary the archive has the changes.
    if (service.kind === "archive") return [beside, ...read].flatMap((source) => link(source, service));
    return link(
      services.find(({ kind }) => kind === copied[service.kind]),
      service,
    );
  });
}

function r2Links({ services }: Inventory): Link[] {
  const of = (kind: string) => services.filter((service) => service.kind === kind).map(groupId);
  return [
    ...[...of("app"), ...of("worker")].map((from): Link => ({ from, to: outside.files, way: "data" })),
    ...[...of("backup"), ...of("archive")].map((from): Link => ({ from, to: outside.backups, way: "copy" })),
  ];
}
