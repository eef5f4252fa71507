/** Whether a stack is rehearsed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { stateOf } from "../../guard/backend.ts";

/** @param folder of the rehearsal's Pulumi project, which may not exist. @returns whether its state has resources */
export const isUp = (folder: string, stack: string): boolean =>
  existsSync(join(folder, `Pulumi.${stack}.yaml`)) && (stateOf(folder, stack)?.resources?.length ?? 0) > 0;
