/** Temporary folders of a test file or a bench, removed when it ends. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made: string[] = [];

/**
 * Makes an empty folder. In jest it stays until the file's last test has ended, so that each test may ask for one of its
 * own without removing it.
 *
 * @param what part of its name, for those who find it while the test runs
 * @param parent for a file system of another kind than that of the machine's temporary files
 */
export function temporaryFolder(what: string, parent = tmpdir()): string {
  // The real path: programs that are started there say their folder so.
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
