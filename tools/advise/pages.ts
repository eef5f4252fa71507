/**
 * `make tables`: writes what comes from code: the tables of README and docs, and the settings in Pulumi.yaml and in the
 * editors' schema. With --check it names the files that differ.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { editorSchema, editorSchemaFile } from "../settings/editor-schema.ts";
import { withSettings } from "../settings/project-file.ts";
import { say } from "../terminal.ts";
import { withTables } from "./tables.ts";

function main(check: boolean): number {
  const files = [
    ...["README.md", ...globSync("docs/**/*.md")].map((path) => ({ path, write: withTables })),
    { path: "Pulumi.yaml", write: withSettings },
    { path: editorSchemaFile, write: editorSchema },
  ].map(({ path, write }) => {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    return { path, text, now: write(text) };
  });
  const changed = files.filter(({ text, now }) => text !== now);
  for (const { path, now } of changed) {
    if (check) say(`${path} shows other tables or settings than the code has; write them: make tables`);
    else {
      writeFileSync(path, now);
      say(path);
    }
  }
  return check && changed.length > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.includes("--check"));
