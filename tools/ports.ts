/** Checks that the ports that a stack publishes are free, before an update fails half-way. */
import { isFree, processOn } from "../common/ports.ts";
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import type { Topology } from "../topology/topology.ts";
import { hostArguments } from "./docker.ts";

export interface PortConflict {
  readonly service: string;
  readonly address: string;
  readonly port: number;
  /** The container or process that uses the port. */
  readonly holder: string;
}

/** The ports of the stack that are in use, except by its own running containers. */
export async function portConflicts(topology: Topology, dockerHost: string): Promise<PortConflict[]> {
  const wanted = topology.services.flatMap(({ name, container, published }) =>
    published.map(({ address, port }) => ({ service: name, container, address, port })),
  );
  const own = portOwners(dockerHost);
  const conflicts = await Promise.all(
    wanted.map(async ({ service, container, address, port }) => {
      if (own.get(port)?.has(container) || (await isFree(address, port))) return [];
      const others = [...(own.get(port) ?? [])].map((name) => `container ${name}`);
      return [{ service, address, port, holder: others.join(", ") || processOn(port) || "an unknown process" }];
    }),
  );
  return conflicts.flat();
}

/** @throws {UserError} listing every port that is in use, with its holder and how to choose another */
export async function requireFreePorts(topology: Topology, dockerHost: string): Promise<void> {
  const conflicts = await portConflicts(topology, dockerHost);
  if (conflicts.length === 0) return;
  throw new UserError(
    [
      "Ports that the stack publishes are in use:",
      ...conflicts.map(({ service, address, port, holder }) => {
        const key = portKeys[service] ?? service;
        const other = port < 50_000 ? port + 10_000 : port - 10_000;
        return `  ${address}:${port} (${service}) by ${holder}; stop it, or choose another port: npx pulumi config set --path ports.${key} ${other} --stack ${topology.stack}`;
      }),
    ].join("\n"),
  );
}

/** The configuration keys whose names are not the service's. */
const portKeys: Readonly<Record<string, string>> = { "test-database": "testDatabase", "app-1": "app" };

function portOwners(dockerHost: string): ReadonlyMap<number, ReadonlySet<string>> {
  const { stdout } = runSync("docker", [...hostArguments(dockerHost), "ps", "--format", "{{.Names}}\t{{.Ports}}"]);
  const owners = new Map<number, Set<string>>();
  for (const line of stdout.split("\n")) {
    const [name = "", ports = ""] = line.split("\t");
    for (const [, port] of ports.matchAll(/:(\d+)->/g)) {
      owners.set(Number(port), (owners.get(Number(port)) ?? new Set()).add(name));
    }
  }
  return owners;
}
