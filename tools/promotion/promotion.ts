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
  /** Its private address. */
  readonly lostAddress: string;
  /** The server of the replica: `db-2`. */
  readonly server: string;
  /** The service of its replica: `replica-1`. */
  readonly service: string;
  /** Whether an earlier run has already removed the lost server from the state. */
  readonly forgotten: boolean;
}

/**
 * The promotion to make. An interrupted one is recognised: it changes first the file, then the state; then an update gives the
 * new primary its role and creates a replica.
 *
 * @param graph of the state
 * @throws {UserError} when there is no replica to promote, or file and state do not fit together
 */
export function promotionOf({ stack, settings, variables }: StackFile, graph: Graph): Promotion {
  const { primary: configured, mode, availability } = settings.database;
  const refuse = (what: string) => new UserError(`Stack '${stack}' has no replica to promote: ${what}`);
  if (mode === "external") throw refuse("its database is external (orion:database.mode)");
  // `single` with another primary is an interrupted promotion: its first update has no replica.
  if (availability === "single" && configured === "core-1") {
    throw refuse("orion:database.availability is single. What to do after a loss is in docs/backups.md");
  }
  const has = new Set(graph.resources.map(keyOf));
  const isThere = (server: string) => has.has(`${types.server} ${server}-server`);

  const core = coreOf(graph);
  const former = formerPrimary(configured);
  if (
    core === undefined ||
    (core === configured && former && availability !== "single" && !isThere(replicaServerOf(configured)))
  ) {
    if (former && isThere(configured)) return between(former.name, configured, true);
    throw refuse(`its state has no server with a primary. Bring it up first: make up ${variables}`);
  }
  const server = replicaServerOf(core);
  if (!isThere(server)) throw refuse(`its state has no server ${server}, which would have the replica of ${core}`);
  if (configured === core || configured === server) return between(core, server, false);
  throw new UserError(
    `orion:database.primary is ${configured}, but in the state of stack '${stack}' the primary is on ${core}. Expected: ${core}, which this ` +
      `command then changes to ${server}; set it with: npx pulumi config set --path orion:database.primary ${core} --stack ${stack}`,
  );
}

function between(lost: string, server: string, forgotten: boolean): Promotion {
  const { privateAddress = "" } = formerPrimary(server) ?? {};
  const lostService = formerPrimary(lost) ? replicaName(lost) : "database";
  return { lost, lostService, lostAddress: privateAddress, server, service: replicaName(server), forgotten };
}
