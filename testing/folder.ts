/** Temporary folders of a test file or a bench, removed when it ends. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made: string[] = [];

/**
 * Creates an empty folder. In jest it is kept until the file's last test has ended, so that no test has to remove it.
 *
 * @param what part of its name
 * @param parent to choose another file system than that of temporary files
 */
export function temporaryFolder(what: string, parent = tmpdir()): string {
  // The real path, as programs that are started there report it.
  const folder = realpathSync(mkdtempSync(join(parent, `orion-${what}-`)));
  made.push(folder);
  return folder;
}

function removeAll(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

// Jest imports this file once for each test file; a bench is a process of its own.
if ("afterAll" in globalThis) afterAll(removeAll);
else process.once("exit", removeAll);
