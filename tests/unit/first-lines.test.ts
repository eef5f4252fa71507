/** Each source file begins with a comment that tells its purpose. */
import { globSync, readFileSync } from "node:fs";

const files = globSync("**/*.ts", { exclude: (name) => /^(node_modules|\.orion|sample-app|tests)$/.test(name) });

test("the first line of each source file is a documentation comment", () => {
  expect(files.length).toBeGreaterThan(500);
  expect(files.filter((file) => !/^(#!.*\n)?\/\*\* ?\S|^\/\*\*\n/.test(readFileSync(file, "utf8")))).toEqual([]);
});
