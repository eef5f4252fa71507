/**
 * What is known of a stack beside its resources: of one that a file describes by its settings, of one that exists by its outputs
 * and resources. Whatever compares two stacks finds it in their graphs. Pure.
 */
import { z } from "zod";
import { isRecord } from "../common/record.ts";
import { publicNames } from "../config/host-names.ts";
import type { Settings } from "../config/schema.ts";
import { hasServers, type Topology } from "../topology/topology.ts";
import type { Recorded, StackFacts } from "./graph.ts";
import { hasServersIn, roleOf, types } from "./stateful.ts";

/** The facts of a stack that a file describes. */
export function factsOf({
  settings,
  topology,
}: {
  readonly settings: Settings;
  readonly topology: Topology;
}): StackFacts {
  const { cache, cloudflare, database, edge } = settings;
  const hostNames = hostNamesOf(settings, topology);
  return {
    hostNames,
    ...{ databaseMode: database.mode, cacheMode: cache.mode },
    ...(!cloudflare.enabled && hostNames.length > 0 && { balancing: edge.balancing }),
  };
}

/** The host names that the settings name; none on this machine, where nobody depends on one. */
const hostNamesOf = (settings: Settings, topology: Topology): string[] =>
  hasServers(topology)
    ? [...publicNames(settings).map(({ name }) => name), settings.storage.customDomain].flatMap((name) => name ?? [])
    : [];

/** Outputs of a stack that the next update reads, where its resources do not say it. */
export const outputsOf = ({ databaseMode, hostNames = [] }: StackFacts) => ({
  ...(databaseMode === "external" && { databaseMode }),
  ...(hostNames.length > 0 && { hostNames }),
});

const outputsSchema = z.object({
  databaseMode: z.unknown().optional(),
  // Stacks of versions before this output have none.
  hostNames: z.array(z.string()).catch([]),
});

/** The facts of a stack that exists. @param outputs those of the stack itself */
export function factsIn(resources: readonly Recorded[], outputs: Readonly<Record<string, unknown>>): StackFacts {
  const said = outputsSchema.parse(outputs);
  // Both: after an update that failed half-way, the outputs are those of the one before.
  const hostNames = [...new Set([...said.hostNames, ...hostNamesIn(resources)])];
  const databaseMode = databaseModeIn(resources, said.databaseMode);
  const isBalanced = resources.some(({ type }) => type === types.loadBalancer);
  const ownsRecords = resources.some(({ type }) => type === types.record);
  return {
    hostNames,
    ...(databaseMode !== undefined && { databaseMode }),
    // Its password, and not its container: that is gone with a lost server whose replica is promoted.
    cacheMode: resources.some(({ type, name }) => type === types.password && name === "cache-password")
      ? "provision"
      : "external",
    ...(!ownsRecords && hostNames.length > 0 && { balancing: isBalanced ? "regional" : "direct" }),
  };
}

/**
 * The database that the clients use; undefined for a stack without clients.
 *
 * @param said the output, which only stacks with an external database have
 */
function databaseModeIn(resources: readonly Recorded[], said: unknown): StackFacts["databaseMode"] {
  if (said === "external") return "external";
  const roles = new Set(resources.filter(({ type }) => type === types.container).map(roleOf));
  if (roles.has("database") || roles.has("replica")) return "provision";
  return roles.has("app") || roles.has("worker") ? "external" : undefined;
}

/** The public host names that resources tell: the platform's by DNS record and by what its tasks are told, and that of its files. */
function hostNamesIn(resources: readonly Recorded[]): string[] {
  const names = resources.flatMap(({ type, inputs }): unknown[] => {
    if (type === types.record) return inputs["type"] === "A" ? [inputs["name"]] : [];
    if (type === types.customDomain) return [inputs["domain"]];
    const environment = type === types.task ? inputs["environment"] : undefined;
    const url = isRecord(environment) ? environment["PUBLIC_URL"] : undefined;
    return typeof url === "string" && URL.canParse(url) ? [new URL(url).hostname] : [];
  });
  const isPublic = (name: unknown): name is string =>
    typeof name === "string" && /^(?!\d+(\.\d+){3}$).+\..+$/.test(name);
  return hasServersIn({ resources }) ? names.filter(isPublic) : [];
}
