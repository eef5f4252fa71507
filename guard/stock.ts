/**
 * Asks Hetzner before an update whether it has the servers that the update needs, and whether the account may have what it adds:
 * before anything is made or deleted, because an update that runs out of servers half-way leaves the platform between two plans.
 */
import { type Access, type Hetzner, hetznerBy, isNoAnswer, Refusal, type ServerTypes } from "../common/hetzner.ts";
import type { Limits } from "../config/schema.ts";
import type { Change } from "../policy/changes.ts";
import { asAgreed, type Finding, lineOf } from "../policy/findings.ts";
import type { Graph } from "../policy/graph.ts";
import {
  addedBy,
  beyondLimits,
  limited,
  type LimitedKind,
  limitedKinds,
  soldOut,
  unfit,
  type Wanted,
  wantedServers,
  withAbleTypes,
} from "../policy/stock.ts";
import type { Server } from "../topology/server.ts";
import { refuse } from "./guard.ts";

export interface StockArgs {
  /** Those of the plan. */
  readonly servers: readonly Server[];
  /** The stack's state. */
  readonly before: Graph;
  /** What the update changes. */
  readonly changes: readonly Change[];
  /** `orion:hetzner.limits`. */
  readonly limits: Limits;
  /** `orion:agreed`. */
  readonly agreed: readonly string[];
}

/**
 * Refuses an update for which Hetzner lacks something.
 *
 * @param agreed `orion:agreed`
 * @returns a line for each danger
 * @throws {UserError} with what is missing and what to do instead
 */
export function allowStock(findings: readonly Finding[], agreed: readonly string[]): string[] {
  refuse(findings, { headline: "Hetzner cannot give what this update needs; nothing was changed:", agreed });
  return findings.map((one) => `Note: ${lineOf(one)}`);
}

/**
 * What Hetzner cannot give at the moment. Hetzner is not asked about an update that adds and changes no server, Volume, address
 * or load balancer; when it does not answer, that is a danger: the update itself will tell.
 *
 * @param api tests replace it
 */
export async function judgeStock(
  { servers, before, changes, limits, agreed }: StockArgs,
  access: Access,
  api: Pick<Hetzner, "server" | "serverTypes" | "count"> = hetznerBy(access),
): Promise<Finding[]> {
  const wanted = wantedServers(servers, before, changes);
  const kinds = limitedKinds.filter((kind) => limits[kind] !== undefined && addedBy(changes, kind) > 0);
  if (wanted.length === 0 && kinds.length === 0) return [];
  try {
    const [known, ...counts] = await Promise.all([
      api.serverTypes(),
      ...kinds.map(async (kind): Promise<[LimitedKind, number]> => [kind, await api.count(limited[kind].path)]),
    ]);
    const { able, findings } = await judgeTypes(wanted, known, api);
    const lacking = asAgreed(soldOut(able, known), agreed);
    return [...findings, ...lacking, ...beyondLimits(changes, Object.fromEntries(counts), limits)];
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    const why = error instanceof Refusal ? `${error.message} (${error.code})` : error.message;
    return [
      {
        severity: "danger",
        name: "Hetzner",
        happens: `did not say whether it has the servers of this update: ${why}`,
      },
    ];
  }
}

/** Those of the servers that can get one of their types, with these types alone; and findings about the others. */
async function judgeTypes(
  wanted: readonly Wanted[],
  known: ServerTypes,
  api: Pick<Hetzner, "server">,
): Promise<{ readonly able: readonly Wanted[]; readonly findings: readonly Finding[] }> {
  const names = wanted.flatMap(({ existing }) => existing?.name ?? []);
  if (names.length === 0) return { able: wanted, findings: [] };
  const found = await Promise.all(names.map(async (name) => [name, await api.server(name)] as const));
  const servers = new Map(found.flatMap(([name, server]) => (server ? [[name, server] as const] : [])));
  const able = wanted.map((one) => withAbleTypes(one, servers, known)).filter(({ types }) => types.length > 0);
  return { able, findings: unfit(wanted, servers, known) };
}
