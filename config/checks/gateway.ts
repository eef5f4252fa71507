/** Checks that PgBouncer is used with the gateway only. Pure. */
import { line } from "../line.ts";
import { runsOwnDatabase } from "../own-database.ts";
import type { Settings } from "../schema.ts";

/** @returns the problems, one line each */
export const checkGateway = ({ hosting, database, gateway }: Settings): string[] =>
  hosting !== "local" && runsOwnDatabase(database) && database.pooler && !gateway.enabled
    ? [
        line(
          "database.pooler",
          true,
          "false without orion:gateway.enabled: PgBouncer reaches PostgreSQL through the gateway",
        ),
      ]
    : [];
