/** Jest calls this once before a run; the processes that run the test files start with the environment that it leaves. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default function prepare(): void {
  // A folder for the graphs that test files share, until the run ends.
  const folder = mkdtempSync(join(tmpdir(), "orion-graphs-"));
  process.env["ORION_TEST_GRAPHS"] = folder;
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
}
