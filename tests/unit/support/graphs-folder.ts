/** Jest calls this once before a run: a folder for the graphs that its test files share, until the run ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default function makeGraphsFolder(): void {
  const folder = mkdtempSync(join(tmpdir(), "orion-graphs-"));
  // The processes that run the test files start with this environment.
  process.env["ORION_TEST_GRAPHS"] = folder;
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
}
