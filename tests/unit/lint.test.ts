/** What lint forbids of the plan and the components: phases, and what reads configuration. */
import { join } from "node:path";
import { Linter } from "eslint";
import { parser } from "typescript-eslint";

type Entry = Omit<Linter.Config, "files"> & { readonly files?: string[] };

const { default: entries } = (await import(join(process.cwd(), "eslint.config.js"))) as { default: readonly Entry[] };

/** The entries of the folders: without those for all files, whose rules want the types of the whole program. */
const ofFolders = entries.filter(({ files = [] }) => files.some((pattern) => pattern.startsWith("topology/")));

/** The rules that code in a file breaks. */
const broken = (file: string, code: string): string[] =>
  new Linter()
    .verify(code, [{ files: ["**/*.ts"], languageOptions: { parser } }, ...ofFolders], file)
    .map(({ ruleId, message }) => ruleId ?? message);

test.each([
  "settings.phase;",
  "topology.phase;",
  "const s = settings; s.phase;",
  "args.settings?.phase;",
  'settings["phase"];',
  "const { phase } = topology;",
  "const { settings: { phase: named } } = args;",
  'const { phase = "mvp" } = settings;',
  'const { "phase": named } = settings;',
  "const titleOf = ({ phase }: Topology) => phase;",
])("the plan and the components read no phase: %s", (code) => {
  expect(broken("topology/fleet.ts", code)).toEqual(["no-restricted-syntax"]);
  expect(broken("topology/plan.ts", code)).toEqual(["no-restricted-syntax"]);
  expect(broken("components/cache/cache.ts", code)).toEqual(["no-restricted-syntax"]);
  // Labels at Hetzner name the phase; the tools tell people of it.
  expect(broken("topology/naming.ts", code)).toEqual([]);
  expect(broken("tools/diff.ts", code)).toEqual([]);
});

test.each([
  "phases.length;",
  "const { phases } = list;",
  "make({ phase, hosting });",
  "interface Named { phase: Phase }",
])("what only looks like it is allowed: %s", (code) => {
  expect(broken("topology/fleet.ts", code)).toEqual([]);
});

test.each(["load", "own-keys", "ssh-folder", "presets"])("they import nothing of config/%s.ts", (name) => {
  const code = `import { one } from "../../config/${name}.ts";`;
  expect(broken("components/cache/cache.ts", code)).toEqual(["no-restricted-imports"]);
  expect(broken("topology/naming.ts", code)).toEqual(["no-restricted-imports"]);
  expect(broken("policy/outline.ts", code)).toEqual([]);
});

test("they read no environment", () => {
  expect(broken("topology/plan.ts", 'process.env["HOME"];')).toEqual(["no-restricted-globals"]);
  expect(broken("topology/plan.ts", 'import { env } from "node:process";')).toEqual(["no-restricted-imports"]);
});

test("settings and keys of other names may be imported", () => {
  const code = 'import { one } from "../config/schema.ts"; import { other } from "../config/own-database.ts";';
  expect(broken("topology/plan.ts", code)).toEqual([]);
});
