/** Finds which replica is promoted in place of which primary, from the stack's file and its state. Pure. */
import { UserError } from "../../common/user-error.ts";
import { type Graph, keyOf } from "../../policy/graph.ts";
import { coreOf, types } from "../../policy/stateful.ts";
import { formerPrimary, replicaName, replicaServerOf } from "../../topology/fleet.ts";
import type { StackFile } from "../stack-file.ts";

export interface Promotion {
  /** The server with the primary that is lost: `core-1`. */
  readonly lost: string;
  /** The service of that primary, and so the name of its container: `database`. */
  readonly lostService: string;
  /** Where that is reached over the private network. */
  readonly lostAddress: string;
  /** The server that takes its place: `db-2`. */
  readonly server: string;
  /** The service of its replica: `replica-1`. */
  readonly service: string;
  /** Whether the state has nothing of the lost server any more: an earlier try came as far. */
  readonly forgotten: boolean;
}

/**
 * What is to be promoted. A promotion that was interrupted is found where it was: first the file is changed, then the state,
 * then the update gives the new primary its role and makes its replica.
 *
 * @param graph of the state
 * @throws {UserError} when there is no such thing, or the file says what does not fit
 */
export function promotionOf({ stack, settings, variables }: StackFile, graph: Graph): Promotion {
  const { primary: said, mode, availability } = settings.database;
  const refuse = (what: string) => new UserError(`Stack '${stack}' has no replica to promote: ${what}`);
  if (mode === "external") throw refuse("its database is external (orion:database.mode)");
  // Also without a replica of its own a promotion that was interrupted goes on: its first update has none.
  if (availability === "single" && said === "core-1") {
    throw refuse("orion:database.availability is single. What to do after a loss is in docs/backups.md");
  }
  const has = new Set(graph.resources.map(keyOf));
  const isThere = (server: string) => has.has(`${types.server} ${server}-server`);

  const core = coreOf(graph);
  const former = formerPrimary(said);
  if (core === undefined || (core === said && former && availability !== "single" && !isThere(replicaServerOf(said)))) {
    if (former && isThere(said)) return between(former.name, said, true);
    throw refuse(`its state has no server with a primary. Bring it up first: make up ${variables}`);
  }
  const server = replicaServerOf(core);
  if (!isThere(server)) throw refuse(`its state has no server ${server}, where the replica of ${core} would be`);
  if (said === core || said === server) return between(core, server, false);
  throw new UserError(
    `orion:database.primary is ${said}, but in the state of stack '${stack}' the primary is on ${core}. Expected: ${core}, which this ` +
      `command then changes to ${server}; set it with: npx pulumi config set --path orion:database.primary ${core} --stack ${stack}`,
  );
}

function between(lost: string, server: string, forgotten: boolean): Promotion {
  const { privateAddress = "" } = formerPrimary(server) ?? {};
  const lostService = formerPrimary(lost) ? replicaName(lost) : "database";
  return { lost, lostService, lostAddress: privateAddress, server, service: replicaName(server), forgotten };
}
