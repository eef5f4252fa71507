/** Builds pg_hba.conf: which role may log in to which database from where. Pure. */
import { imageRoles } from "../../common/app-contract.ts";
import { imageKinds } from "../../topology/services/image.ts";
import type { ServiceKind } from "../../topology/service.ts";
import type { Clients } from "../../topology/clients.ts";
import { appRole, handoverRole, loginRoles, superuser } from "./role-names.ts";

/** The kinds of services that log in as a role. */
interface Access {
  readonly database: string;
  /** A role, or `+` and a group of roles. */
  readonly user: string;
  readonly kinds: readonly ServiceKind[];
}

/** Every access over the network; all others are refused. */
const accesses = (database: string): readonly Access[] => [
  { database, user: `+${appRole}`, kinds: [...imageRoles, "pgbouncer"] },
  // Also of a stack without poolers: in a move clients log in through those that are still there, or already, beside apps and workers.
  { database: "postgres", user: loginRoles.pooler, kinds: ["pgbouncer", "app", "worker"] },
  { database, user: loginRoles.migrator, kinds: ["release"] },
  { database, user: loginRoles.reader, kinds: [...imageRoles, "pgbouncer"] },
  { database, user: loginRoles.backup, kinds: ["backup", "replica-files"] },
  { database: "replication", user: loginRoles.replication, kinds: ["replica"] },
  { database: `${database},postgres`, user: loginRoles.monitor, kinds: ["monitoring", "exporter", "replica-health"] },
];

/** The clients that logged in as the superuser in the version before. */
const formerKinds = [...imageKinds, "backup"] as const;

/**
 * The text of pg_hba.conf.
 *
 * @param clients where the services of some kinds are
 */
export function hbaText(database: string, clients: (kinds: readonly ServiceKind[]) => Clients): string {
  const rows = ({ database: name, user, kinds }: Access): string[][] => {
    const { beside, ranges } = clients(kinds);
    // A client beside it comes from the container network, or from the network's gateway.
    return [...(beside ? ["samenet"] : []), ...ranges].map((from) => ["hostssl", name, user, from, "scram-sha-256"]);
  };
  const table = [
    // Needs a shell in the container.
    ["local", "all", "all", "", "trust"],
    // Without members but in the update that takes over a database whose clients were superusers.
    ...rows({ database, user: `+${handoverRole}`, kinds: formerKinds }),
    ["host", "all", superuser, "all", "reject"],
    // The health check, which asks whether a login would be possible.
    ["hostssl", database, loginRoles.monitor, "127.0.0.1/32", "scram-sha-256"],
    ...accesses(database).flatMap(rows),
    ["host", "all", "all", "all", "reject"],
    ["host", "replication", "all", "all", "reject"],
  ];
  return table
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join(" ")
          .trimEnd()}\n`,
    )
    .join("");
}

const widths = [7, 18, 17, 18];
