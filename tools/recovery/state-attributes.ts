/** Files of attributes beside those of the state: a killed engine may have cut one off, and then reads nothing any more. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { localState } from "../backend.ts";

/** Removes those of the stack that are not whole; the engine does without. They lie as files only where the state does. */
export function removeCutOffAttributes(root: string, stack: string): void {
  const state = localState(root);
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
