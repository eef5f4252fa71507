/** Whether the app's processes reach the stack's own PostgreSQL or its poolers, and have a URL for reads. Pure. */
import type { Settings } from "../config/schema.ts";
import { hasGateway } from "./services/gateway.ts";
import { hasPooler } from "./services/pgbouncer.ts";

/** Whether at the stack's own PostgreSQL, or at its poolers, which may lead to an external one. */
export const reachesOwnDatabase = (settings: Settings): boolean =>
  settings.database.mode === "provision" || hasPooler(settings);

/** Whether they have a URL for reads that may be a moment old: of a replica, or of a gateway, which knows when there is none. */
export const hasReadUrl = (settings: Settings): boolean =>
  reachesOwnDatabase(settings) && (hasGateway(settings) || settings.database.availability === "replica");
