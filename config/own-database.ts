/** Whether a stack runs PostgreSQL itself. Pure. */
import type { Settings } from "./schema.ts";

/** With an external database too, as long as data can be moved between both (`make move-database`). */
export const runsOwnDatabase = ({ mode, movable }: Pick<Settings["database"], "mode" | "movable">): boolean =>
  mode === "provision" || movable;
