/** In which order the servers of a stack are patched, and what happens on each. Pure. */
import type { Server } from "../../topology/server.ts";
import { holdsData } from "../../topology/catalogue.ts";
import { servicesOf, type Topology } from "../../topology/topology.ts";
import { type Package, rebootReason, type ServerStatus } from "./server-status.ts";

/**
 * What a server of the stack does, as far as it matters for its patch:
 * - `stateless`: others do the same work, so its containers are stopped while it is patched, and nobody waits;
 * - `alone`: it keeps no data, but no other server does its work: that pauses;
 * - `redis`: of the data, only Redis servers of which others have copies: Sentinels promote another one when the master is away;
 * - `standby`: a replica of PostgreSQL, without which the platform serves;
 * - `data`: it holds the only copy of something. It pauses for a reboot, and for nothing else.
 */
export type ServerKind = "stateless" | "alone" | "redis" | "standby" | "data";

/** In the order in which they are patched: what can break without harm goes first, and PostgreSQL's primary last. */
const order: readonly ServerKind[] = ["stateless", "alone", "redis", "standby", "data"];

export function kindOf(topology: Topology, { name, role }: Server): ServerKind {
  const here = topology.services.filter(({ server }) => server === name);
  if (here.some(({ kind }) => kind === "database")) return "data";
  if (here.some(({ kind }) => kind === "replica")) return "standby";
  // A server of another role runs more than its Redis.
  if (here.some(({ kind }) => holdsData(kind))) return role === "cache" && hasCopies(topology) ? "redis" : "data";
  return topology.servers.some((other) => other.role === role && other.name !== name) ? "stateless" : "alone";
}

/** Whether cache and broker have replicas, and Sentinels that promote them. */
const hasCopies = (topology: Topology): boolean => servicesOf(topology, "sentinel").length > 0;

export interface PlannedServer {
  readonly server: Server;
  readonly kind: ServerKind;
}

export const serversInOrder = (topology: Topology): PlannedServer[] =>
  topology.servers
    .map((server) => ({ server, kind: kindOf(topology, server) }))
    .sort(
      (one, other) =>
        order.indexOf(one.kind) - order.indexOf(other.kind) || last(topology, one) - last(topology, other),
    );

/** 1 for the server with PostgreSQL's primary, which goes last of all. */
const last = (topology: Topology, { server }: PlannedServer): number =>
  Number(servicesOf(topology, "database").some((service) => service.server === server.name));

/** Whether its containers are stopped before packages are installed. */
export const drainsFirst = (kind: ServerKind): boolean => kind === "stateless" || kind === "alone";

/** Packages whose update restarts the Docker Engine. */
const ofDocker = /^(docker|containerd|runc)/;
const ofKernel = /^linux-image-/;

/** Whether there is anything to do on a server. */
export const isBehind = (status: ServerStatus): boolean =>
  status.packages.length > 0 ||
  rebootReason(status) !== undefined ||
  status.docker === undefined ||
  status.isDockerReplaced;

/** One line on what a patch would do on a server. */
export function describe(kind: ServerKind, status: ServerStatus): string {
  const { packages } = status;
  const reason =
    rebootReason(status) ?? (packages.some(({ name }) => ofKernel.test(name)) ? "for its new kernel" : undefined);
  if (!isBehind(status)) return "up to date";
  return [
    packagesOf(packages),
    reason === undefined ? "no reboot unless a package asks for one" : `a reboot: ${reason}`,
    effectOf(kind, reason !== undefined),
  ].join("; ");
}

function packagesOf(packages: readonly Package[]): string {
  if (packages.length === 0) return "no newer packages";
  const security = packages.filter(({ isSecurity }) => isSecurity).length;
  const named = packages
    .filter(({ name }) => ofDocker.test(name) || ofKernel.test(name))
    .map(({ name, to }) => `${name} ${to}`);
  return (
    `${packages.length} package${packages.length === 1 ? "" : "s"}, ${security} of them for security` +
    (named.length > 0 ? ` (${named.join(", ")})` : "")
  );
}

function effectOf(kind: ServerKind, reboots: boolean): string {
  switch (kind) {
    case "stateless":
      return "drained first; the other servers do its work";
    case "alone":
      return "drained first; its work pauses, because no other server does it";
    case "redis":
      return reboots
        ? "Sentinels promote another Redis within seconds if this server has the master"
        : "nothing pauses";
    case "standby":
      return reboots ? "the standby pauses, the primary serves" : "nothing pauses";
    case "data":
      return reboots
        ? "the platform pauses while it reboots"
        : "requests fail for about a second while Docker restarts";
  }
}
