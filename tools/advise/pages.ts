/** `make tables`: writes the tables of README and docs that come from code; with --check, names the pages that differ. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { say } from "../terminal.ts";
import { withTables } from "./tables.ts";

function main(check: boolean): number {
  const pages = ["README.md", ...globSync("docs/**/*.md")].map((path) => {
    const text = readFileSync(path, "utf8");
    return { path, text, now: withTables(text) };
  });
  const changed = pages.filter(({ text, now }) => text !== now);
  for (const { path, now } of changed) {
    if (check) say(`${path} shows other tables than the rules, presets and prices; write them: make tables`);
    else {
      writeFileSync(path, now);
      say(path);
    }
  }
  return check && changed.length > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.includes("--check"));
