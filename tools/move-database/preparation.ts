/** Judges whether one PostgreSQL can be moved to another, from what both say about themselves. Pure. */
import { z } from "zod";
import { allowWritesSql, marker as markerTable, type MoveState, slot } from "./sql.ts";

const preparationSchema = z.object({
  version: z.number(),
  walLevel: z.string(),
  freeSlots: z.number(),
  hasSlot: z.boolean(),
  /** Whether the role may read changes. */
  mayReplicate: z.boolean(),
  /** Whether the role may make the database read-only. */
  ownsDatabase: z.boolean(),
  /** The database's name, as PostgreSQL quotes it. */
  database: z.string(),
  /** Whether a move has made it refuse writes. */
  readOnly: z.boolean(),
  /** Roles that are connected, may write, and whose sessions the role may not end. */
  unstoppable: z.array(z.string()),
  standby: z.boolean(),
  largeObjects: z.number(),
  withoutKey: z.array(z.string()),
  otherIdentity: z.array(z.string()),
  unlogged: z.array(z.string()),
  /** Tables and views. */
  tables: z.number(),
  extensions: z.array(z.string()).nullable(),
  /** Extensions that the server has. */
  offers: z.array(z.string()).nullable(),
  /** Transactions that are prepared and not ended. */
  prepared: z.number(),
  /** What a move has made of it; null where none was. */
  marker: z.enum(["copying", "moved", "left"] satisfies readonly MoveState[]).nullable(),
});

export type Preparation = z.infer<typeof preparationSchema>;

export const readPreparation = (text: string): Preparation => preparationSchema.parse(JSON.parse(text));

interface Both {
  readonly source: Preparation;
  readonly target: Preparation;
}

/** Whether an earlier move was complete, and cut off before its update: clients may have written to the target since. */
export const wasMoved = ({ source, target }: Both): boolean => target.marker === "moved" && source.readOnly;

/**
 * What stands against the move, each with what mends it.
 *
 * @param replace whether what an earlier move has left in the target may be replaced
 */
export const problemsOf = ({ source, target }: Both, replace: boolean): string[] => [
  ...ofSource(source),
  ...(target.standby ? ["the target is a standby, which takes no writes: name its primary"] : []),
  ...(major(source) > major(target)
    ? [`the source is PostgreSQL ${major(source)}, and the target ${major(target)} is older: a newer target is needed`]
    : []),
  ...(source.extensions ?? [])
    .filter((name) => !(target.offers ?? []).includes(name))
    .map((name) => `the target does not have the extension ${name}, which the source uses`),
  ...(target.readOnly && !target.ownsDatabase
    ? [
        `the target refuses writes, and its role does not own the database: ${allowWritesSql(target.database)} as its owner`,
      ]
    : []),
  ...ofContents(target, replace),
];

const major = ({ version }: Preparation): number => Math.floor(version / 10_000);

const ofSource = (source: Preparation): string[] => [
  ...(source.walLevel === "logical"
    ? []
    : [
        `the source's wal_level is ${source.walLevel}, and logical is needed. Own: pulumi config set --path orion:database.movable true and an update, ` +
          "which restarts PostgreSQL once; external: the provider has a setting for logical replication",
      ]),
  ...(source.mayReplicate
    ? []
    : [
        "the source's role may not read changes: ALTER ROLE ... REPLICATION, or GRANT rds_replication at Amazon RDS, by the provider's administrator",
      ]),
  ...(source.ownsDatabase
    ? []
    : ["the source's role does not own the database, and so cannot stop its writes: ALTER DATABASE ... OWNER TO ..."]),
  ...(source.hasSlot
    ? [
        `another move runs, or one was cut off. If none runs, at the source (make psql): SELECT pg_drop_replication_slot('${slot}')`,
      ]
    : []),
  ...(source.readOnly
    ? [`the source refuses writes, since a move was cut off. If none runs, there: ${allowWritesSql(source.database)}`]
    : []),
  ...source.unstoppable.map(
    (role) =>
      `${role} is connected and may write, and the source's role may not end its sessions: GRANT pg_signal_backend TO the source's role, or let ${role} log out until the move is done`,
  ),
  ...(!source.hasSlot && source.freeSlots < 1
    ? ["the source has no free replication slot: raise max_replication_slots"]
    : []),
  ...(source.standby ? ["the source is a standby: changes are read at the primary"] : []),
  ...(source.prepared > 0
    ? [`${source.prepared} prepared transactions are open: COMMIT PREPARED or ROLLBACK PREPARED ends them`]
    : []),
  ...(source.largeObjects > 0
    ? [
        `${source.largeObjects} large objects: their changes are in no logical replication; keep such files in the storage`,
      ]
    : []),
  ...source.withoutKey.map(
    (table) =>
      `${table} has no primary key, so that its changes cannot be found in the target: ALTER TABLE ... ADD PRIMARY KEY`,
  ),
  ...source.otherIdentity.map(
    (table) => `${table} has another replica identity: ALTER TABLE ${table} REPLICA IDENTITY DEFAULT`,
  ),
  ...source.unlogged.map((table) => `${table} is unlogged: its changes are in no log; ALTER TABLE ${table} SET LOGGED`),
];

function ofContents({ tables, marker }: Preparation, replace: boolean): string[] {
  if (marker === "moved")
    return [
      "an earlier move completed in this target, and clients may have written to it since, while the source accepts writes as well. Replacing the target loses those writes. " +
        `If no client has written there: UPDATE public.${markerTable} SET state = 'copying' there`,
    ];
  if (tables === 0) return [];
  if (marker === null) return [`the target has ${tables} tables and views of its own; it must be empty`];
  return replace ? [] : ["the target has what an earlier move has left there; REPLACE=1 replaces it"];
}
