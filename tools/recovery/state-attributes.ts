/** Repairs a local state: removes attribute files that a killed engine has truncated, with which it could not start. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { localState } from "../../guard/backend.ts";

/** Removes truncated attribute files of the stack; the engine does not need them. Only a state in files has them. */
export function removeCutOffAttributes(root: string, stack: string): void {
  const state = localState(root, stack);
  if (state === undefined) return;
  const stacks = join(state, "stacks", "orion");
  const own = (folder: string) => filesIn(join(state, folder, "orion", stack));
  const ofStack = filesIn(stacks).filter((path) => path.startsWith(join(stacks, `${stack}.`)));
  for (const path of [...ofStack, ...own("history"), ...own("backups")]) {
    if (path.endsWith(".attrs") && !isWhole(path)) rmSync(path);
  }
}

const filesIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];

function isWhole(path: string): boolean {
  try {
    JSON.parse(readFileSync(path, "utf8"));
    return true;
  } catch {
    return false;
  }
}
