/** The unit tests mirror the sources: who changes a file finds its tests at the same place under tests/unit/. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

/** Tests of what has no file of its own: whole graphs of the program, and folders without code. */
const ofTheWhole: readonly RegExp[] = [
  // Beside this test: about all files of the repository.
  /^[^/]+$/,
  /^docs\//,
  /^components\/move\.test\.ts$/,
  /^components\/ingress\/host-names\.test\.ts$/,
];

/** Whether a test is at the place of a source of its name, or of one that it imports. */
function isInPlace(test: string): boolean {
  const file = join("tests/unit", test);
  const place = dirname(test);
  const name = basename(test, ".test.ts");
  if ([".ts", ".cjs"].some((ending) => existsSync(join(place, `${name}${ending}`)))) return true;
  const imports = [...readFileSync(file, "utf8").matchAll(/(?:from |import\()"(\.[^"]+)"/g)];
  return imports.some(([, path = ""]) => dirname(join(dirname(file), path)) === place);
}

test("each test is where its source is", () => {
  const tests = globSync("tests/unit/**/*.test.ts").map((file) => relative("tests/unit", file));
  expect(tests.length).toBeGreaterThan(200);
  const elsewhere = tests.filter((test) => !ofTheWhole.some((pattern) => pattern.test(test)) && !isInPlace(test));
  expect(elsewhere).toEqual([]);
});
