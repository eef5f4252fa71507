/** Files that hold what a piece of the program came to: a change of it has to be looked at and written down. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Compares a value with `tests/golden/<name>.json`. With UPDATE_GOLDEN=1 it writes that file instead.
 *
 * @param root folder of the project
 */
export function expectGolden(root: string, name: string, value: unknown): void {
  const path = join(root, "tests", "golden", `${name}.json`);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
    return;
  }
  if (!existsSync(path)) throw new Error(`tests/golden/${name}.json is missing; write it with: ${howToUpdate}`);
  const golden: unknown = JSON.parse(readFileSync(path, "utf8"));
  try {
    // By way of JSON, as the file is: `undefined` is not a value there.
    expect(JSON.parse(JSON.stringify(value))).toEqual(golden);
  } catch (error) {
    const difference = error instanceof Error ? error.message : String(error);
    throw new Error(`tests/golden/${name}.json says otherwise. When that is meant: ${howToUpdate}\n${difference}`, {
      cause: error,
    });
  }
}

const howToUpdate = "UPDATE_GOLDEN=1 npx jest --selectProjects unit, then read the difference";
