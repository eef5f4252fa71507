/** The roles of the platform's database, and which of them may log in. Pure. */

/**
 * The bootstrap role of the cluster, a superuser. On servers it logs in over the local socket only, which needs `docker exec`, except while
 * it belongs to {@link handoverRole}; on a local stack also with its password, over loopback and from the stack's containers.
 */
export const superuser = "orion_user";

/** Owns every table of the platform; nobody logs in as it. */
export const ownerRole = "orion_owner";

/** What the app may do; its two login roles belong to it. */
export const appRole = "orion_app";

/**
 * A superuser that belongs to this role may log in over the network. It does so from the update that takes over a
 * database of the version whose clients were superusers until 15 minutes after it.
 */
export const handoverRole = "orion_handover";

/** Roles that log in with a password, by what logs in as them. */
export const loginRoles = {
  /** Migrations and the initialisation; acts as the owner. */
  migrator: "orion_migrator",
  appA: "orion_app_a",
  appB: "orion_app_b",
  /** Reads the platform's tables: the app on a replica, and people. */
  reader: "orion_reader",
  /** Reads everything, and asks a replica for a checkpoint. */
  backup: "orion_backup",
  /** Streams WAL; reads no table. */
  replication: "orion_replication",
  /** Asks for a pooler who may log in; reads no table. */
  pooler: "orion_pooler",
  /** Reads statistics; no table. */
  monitor: "orion_monitor",
} as const;

export type LoginRole = keyof typeof loginRoles;

/** What logs in as a role: the app's two roles count as one, of which one is in use. */
export type DatabaseClient = Exclude<LoginRole, "appA" | "appB"> | "app";

/** The login role of the app, by `orion:database.rotation`: even numbers are A, odd ones B. */
export const activeApp = (rotation: number): "appA" | "appB" => (rotation % 2 === 0 ? "appA" : "appB");
export const idleApp = (rotation: number): "appA" | "appB" => activeApp(rotation + 1);
