/** Which folder may import from which: downward only, and no file in a circle. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folders, and those that the files of each may import from. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  common: [],
  toolchain: ["common"],
  config: ["common"],
  topology: ["common", "config"],
  plugin: ["common"],
  components: ["common", "config", "topology"],
  images: ["common", "config", "topology"],
  policy: ["common", "config", "topology", "components"],
  guard: ["common", "config", "topology", "components", "policy", "toolchain"],
  rehearsal: ["common", "toolchain"],
  tools: ["common", "config", "topology", "components", "images", "policy", "guard", "rehearsal", "toolchain"],
};

/** Folders whose files import from everywhere: the program's entry, and what only tests and benches use. */
const unlimited = ["", "testing", "tests", "bench"];

/** The schemas of the plugin's resources are the types of their components' arguments; nothing of them runs in the program. */
const typesOnly: readonly string[] = ["components -> plugin"];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
  /** Whether the file is loaded only when the code comes to it. */
  readonly isLate: boolean;
}

const statement = /^\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|import\("([^"]+)"\)/gm;

const { workspaces } = JSON.parse(readFileSync("package.json", "utf8")) as { workspaces: readonly string[] };

/** The folders of the repository's own packages, which can be imported by their names. */
const packages = workspaces.map((folder) => {
  const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name: string };
  return { name, folder };
});

/** The file of this repository that an import is of; undefined for a package from elsewhere. */
function fileOf(from: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return join(dirname(from), specifier);
  const own = packages.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  return own && join(own.folder, specifier.slice(own.name.length));
}

/** What a file imports of this repository. */
const importsIn = (from: string, text: string): Import[] =>
  [...text.matchAll(statement)].flatMap(([, type, named = "", loaded]) => {
    const to = fileOf(from, loaded ?? named);
    return to === undefined ? [] : [{ from, to, isType: type !== undefined, isLate: loaded !== undefined }];
  });

const files = globSync("**/*.ts", { exclude: (name) => /^(node_modules|\.orion|sample-app)$/.test(name) });
const imports: readonly Import[] = files.flatMap((from) => importsIn(from, readFileSync(from, "utf8")));

const folderOf = (path: string): string =>
  path.includes("/") || packages.some(({ folder }) => folder === path) ? (path.split("/")[0] ?? "") : "";
const text = ({ from, to }: Import): string => `${from} -> ${to}`;

test("every import is of a file that exists: the test reads them all", () => {
  expect(imports.length).toBeGreaterThan(1000);
  const known = new Set(files);
  const missing = imports.filter(({ to }) => to.endsWith(".ts") && !known.has(to));
  expect(missing.map(text).filter((line) => !line.startsWith("tests/"))).toEqual([]);
});

test("a package of this repository is known by its name, too", () => {
  const found = importsIn(
    "topology/plan.ts",
    'import { one } from "@orion/toolchain/src/pin.ts";\nimport type * as all from "@orion/rehearsal";\n' +
      'import { z } from "zod";\nconst late = await import("../common/ssh.ts");\n',
  );
  expect(found.map(({ to, isType, isLate }) => [to, isType, isLate])).toEqual([
    ["toolchain/src/pin.ts", false, false],
    ["rehearsal", true, false],
    ["common/ssh.ts", false, true],
  ]);
});

test("every folder has its place", () => {
  const folders = [...new Set(files.map(folderOf))].filter((folder) => !unlimited.includes(folder));
  expect(folders.sort()).toEqual(Object.keys(mayImport).sort());
});

test("imports go downward only", () => {
  const upward = imports.filter(({ from, to, isType }) => {
    const [folder, other] = [folderOf(from), folderOf(to)];
    if (folder === other || unlimited.includes(folder)) return false;
    if (isType && typesOnly.includes(`${folder} -> ${other}`)) return false;
    return mayImport[folder]?.includes(other) !== true;
  });
  expect(upward.map(text)).toEqual([]);
});

test("no files import each other in a circle, types left out: an interface may stand beside the choice of its classes", () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports.filter(({ isType }) => !isType)) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (done.has(file) || path.includes(file)) return;
    for (const other of next.get(file) ?? []) visit(other, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

test("everyday commands start without Pulumi's SDK, which takes longer to load than most of them take", () => {
  const start = "tools/cli.ts";
  const loaded = new Set([start]);
  // A set also visits what is added meanwhile.
  for (const file of loaded)
    for (const { from, to, isType, isLate } of imports) if (from === file && !isType && !isLate) loaded.add(to);
  const usesSdk = (file: string) => /^import (?!type )[^"]*"@pulumi\//m.test(readFileSync(file, "utf8"));
  expect(loaded.size).toBeGreaterThan(50);
  expect([...loaded].filter(usesSdk)).toEqual([]);
});
