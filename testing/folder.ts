/** Temporary folders of a test file or a bench, removed when it ends. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./cleanup.ts";

/**
 * Creates an empty folder. In jest it is kept until the file's last test has ended, so that no test has to remove it.
 *
 * @param what part of its name
 * @param parent to choose another file system than that of temporary files
 */
export function temporaryFolder(what: string, parent = tmpdir()): string {
  // The real path, as programs that are started there report it.
  const folder = realpathSync(mkdtempSync(join(parent, `orion-${what}-`)));
  atEnd(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
