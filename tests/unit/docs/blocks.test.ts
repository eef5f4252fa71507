/** Every command that README and docs show is run by a test, or says why not; every make command there exists. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { stringify, parse } from "yaml";
import {
  type Block,
  blocksFor,
  blocksOf,
  blockWith,
  commandBlocks,
  commandLanguages,
  commandsOf,
  nameOf,
  pages,
  pageText,
} from "../../../testing/documented.ts";
import { describeStack } from "../../../tools/stack-file.ts";

/** Code of other projects, with a comment that says what runs it, as commands have one. */
const codeLanguages = ["js", "hcl", "python"];
const otherLanguages = ["text", "yaml", "json", ...codeLanguages];
const runners = ["alone", "development", "rehearsal"];

/** Sources of the tests, without this one. */
const sources = new Map(
  globSync("{tests/contract,tests/e2e,tests/long,testing}/**/*.ts", { exclude: ["testing/documented.ts"] }).map(
    (path) => [path, readFileSync(path, "utf8")],
  ),
);

test("every block has a language: commands are run, yaml is read, text is output", () => {
  const known = [...commandLanguages, ...otherLanguages];
  const unknown = pages()
    .flatMap((page) => blocksOf(page))
    .filter(({ language }) => !known.includes(language))
    .map(({ page, line, language }) => `${page}:${line}: the language is '${language}', allowed: ${known.join(", ")}`);
  expect(unknown).toEqual([]);
});

test("a comment before every block of code says what runs it, or why nothing does", () => {
  const code = pages().flatMap((page) => blocksOf(page).filter(({ language }) => codeLanguages.includes(language)));
  expect(code.filter(({ marked }) => !marked).map(nameOf)).toEqual([]);
  expect(code.filter(({ runs = "" }) => runs !== "" && !sources.has(runs)).map(nameOf)).toEqual([]);
});

test("a comment before every block of commands says what runs it, or why nothing does", () => {
  const unmarked = commandBlocks().filter(({ marked }) => !marked);
  const how = [
    "Write one of these in a line before each of them (testing/documented.ts explains all of it):",
    "  <!-- run: alone -->              it needs no Docker and no account: tests/contract/documented-commands.test.ts runs it",
    "  <!-- run: development -->        it acts on a running development stack: tests/e2e/development.test.ts runs it",
    '  <!-- run: rehearsal -->          it acts on a rehearsed platform: a test in tests/e2e or tests/long calls documented("the line")',
    "  <!-- run: alone, except lines 2, 3: why these are not run -->",
    "  <!-- not run: why not -->",
  ];
  expect(unmarked.length === 0 ? [] : [...unmarked.map(nameOf), ...how]).toEqual([]);
});

test("the lines of a console block begin with a prompt", () => {
  const without = commandBlocks()
    .filter(({ language, text }) => language === "console" && !text.split("\n").every((line) => line.startsWith("$ ")))
    .map(
      (block) => `${nameOf(block)}: each line of a console block begins with '$ '; output belongs into a text block`,
    );
  expect(without).toEqual([]);
});

test("lines that are left out exist, and something is left to run", () => {
  const wrong = commandBlocks().filter(
    (block) =>
      block.runs !== undefined &&
      (commandsOf(block).length === 0 || block.except.some((one) => one > block.text.split("\n").length)),
  );
  expect(wrong.map(nameOf)).toEqual([]);
});

test("what a comment names as a runner runs it", () => {
  const problems = commandBlocks().flatMap((block) => {
    const { runs } = block;
    if (runs === undefined) return [];
    if (runs === "rehearsal") return unclaimed(block);
    if (runners.includes(runs)) return [];
    const source = sources.get(runs);
    if (source === undefined) return [`${nameOf(block)}: there is no ${runs}`];
    const taken = [...source.matchAll(/blockWith\("([^"]+)", "([^"]+)"\)/g)].some(
      ([, page = "", part = ""]) => page === block.page && blockWith(page, part).line === block.line,
    );
    return taken ? [] : [`${nameOf(block)}: ${runs} does not take it by blockWith("${block.page}", "part of it")`];
  });
  expect(problems).toEqual([]);
});

/** The commands that tests name, with the files that do. */
const claimed = new Map(
  [...sources].flatMap(([path, source]) =>
    [...source.matchAll(/documented\(\s*("(?:[^"\\]|\\.)*"|'[^']*')/g)].map(([, literal = ""]) => [
      literal.startsWith("'") ? literal.slice(1, -1) : String(JSON.parse(literal)),
      path,
    ]),
  ),
);

/** Lines of a block for a rehearsal that no test names. */
const unclaimed = (block: Block): string[] =>
  commandsOf(block)
    .filter((command) => !claimed.has(command))
    .map(
      (command) => `${nameOf(block)}: no test in tests/e2e or tests/long calls documented(${JSON.stringify(command)})`,
    );

test("every command that a test takes from the pages is still there", () => {
  const shown = new Set(blocksFor("rehearsal").flatMap(commandsOf));
  expect([...claimed].filter(([command]) => !shown.has(command))).toEqual([]);
});

const makefile = readFileSync("Makefile", "utf8");
const targets = new Set([...makefile.matchAll(/^([a-z][a-z0-9-]*):/gm)].map(([, name = ""]) => name));
const knownVariables = new Set(
  [...makefile.matchAll(/\$\((?:if |filter none,\$\()?([A-Z_]+)\b/g)].map(([, name = ""]) => name),
);

test("every make command in a block or in a sentence exists, with its variables", () => {
  const wrong = pages().flatMap((page) =>
    [...pageText(page).matchAll(/(?:`|^\$ )make ([a-z][a-z0-9-]*)((?: [A-Z]+=(?:"[^"]*"|[^\s`]*))*)/gm)].flatMap(
      ([all, target = "", given = ""]) => [
        ...(targets.has(target) ? [] : [`${page}: '${all}': the Makefile has no target ${target}`]),
        ...[...given.matchAll(/ ([A-Z]+)=/g)].flatMap(([, name = ""]) =>
          knownVariables.has(name) ? [] : [`${page}: '${all}': the Makefile reads no ${name}`],
        ),
      ],
    ),
  );
  expect(wrong).toEqual([]);
});

test("every command of the Makefile that `make help` lists is in README", () => {
  const listed = [...makefile.matchAll(/^([a-z0-9-]+):.*## /gm)].map(([, name = ""]) => name);
  const readme = pageText("README.md");
  expect(listed.filter((name) => !new RegExp(`\\b${name}\\b`).test(readme))).toEqual([]);
});

test.each(
  pages()
    .flatMap((page) => blocksOf(page).filter(({ language, text }) => language === "yaml" && text.startsWith("config:")))
    .map((block) => [nameOf(block), block] as const),
)("%s: the program takes these settings", (_, { text }) => {
  const own = parse(text) as { readonly config: Readonly<Record<string, unknown>> };
  const stack = own.config["orion:phase"] === "development" ? "dev" : "prod";
  const file = parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")) as {
    readonly config: Readonly<Record<string, unknown>>;
  };
  const config = Object.fromEntries(
    [...new Set([...Object.keys(file.config), ...Object.keys(own.config)])].map((key) => [
      key,
      merged(file.config[key], own.config[key]),
    ]),
  );
  expect(() => describeStack(stack, parse(stringify({ config })))).not.toThrow();
});

/** A value of the page over the one of the file; the keys of objects one by one. */
function merged(old: unknown, own: unknown): unknown {
  if (own === undefined) return old;
  const both = [old, own].every((one) => typeof one === "object" && one !== null && !Array.isArray(one));
  return both ? { ...(old as object), ...(own as object) } : own;
}

test("every path of this project that a page names in code exists", () => {
  const roots =
    "bench|common|components|config|docs|guard|images|plugin|policy|rehearsal|sample-app|testing|tests|toolchain|tools|topology";
  const missing = pages().flatMap((page) =>
    [...pageText(page).matchAll(new RegExp(`\`((?:${roots})/[\\w./-]*)\``, "g"))].flatMap(([, path = ""]) =>
      existsSync(path) ? [] : [`${page}: ${path}`],
    ),
  );
  expect(missing).toEqual([]);
});
