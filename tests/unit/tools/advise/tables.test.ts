import { spawnSync } from "node:child_process";
import { tables, withTables } from "../../../../tools/advise/tables.ts";
import { pages, pageText } from "../../../../testing/documented.ts";
import { compileCache } from "../../support/compile-cache.ts";

test("README and docs show the tables of the rules, presets and prices", () => {
  const { stdout, stderr, status } = spawnSync("node", ["tools/advise/pages.ts", "--check"], {
    encoding: "utf8",
    env: { ...process.env, ...compileCache },
  });
  expect({ stdout, stderr, status }).toEqual({ stdout: "", stderr: "", status: 0 });
});

test("every table is on a page", () => {
  const texts = pages().map(pageText).join("\n");
  expect(
    Object.keys(tables).filter((name) => !texts.includes(`<!-- begin ${name}: written by make tables -->`)),
  ).toEqual([]);
});

test("a table is written between its markers, and nothing else changes", () => {
  const [begin, end] = ["<!-- begin price-date: written by make tables -->", "<!-- end price-date -->"];
  const page = withTables(`before\n${begin}\nold\n${end}\nafter`);
  expect(page).toMatch(/^before\n<!-- begin [^]*\n\nNet, by Hetzner's price list[^]*\n\n<!-- end [^]*\nafter$/);
  expect(withTables(page)).toBe(page);
  expect(() => withTables(`${begin}\n`)).toThrow("has no '<!-- end price-date -->' after it");
  expect(() => withTables("<!-- begin prices: written by make tables -->\n<!-- end prices -->")).toThrow(
    "there is no table 'prices' in tools/advise/tables.ts; known: phases",
  );
});
