/** `make package`: the rehearsal cloud as a package of its own, for projects that are not this one: .orion/package/orion-rehearsal-<version>.tgz. */
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { tryRun } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { say } from "./terminal.ts";

/** What Node.js loads: the programs of the command, and the start from a test. */
const entries = ["rehearsal/index.ts", "rehearsal/cloud/cli.ts", "rehearsal/cloud/main.ts"];

/** What they read: files of the status page and of the emulated catalogue, of the machines' images, and the modules of the programs that are built. */
const assets = [
  "rehearsal/cloud/page/browser.js",
  "rehearsal/cloud/page/style.css",
  "rehearsal/hetzner/catalogue",
  "rehearsal/machines/docker/images",
  "rehearsal/programs/acme",
  "rehearsal/programs/registry",
  "rehearsal/programs/storage",
  "images/equivalents/debian",
];

/** Of the packages that it takes along, what nothing loads. */
const needless = /\/(test|tests|__tests__|examples?|benchmarks?|docs|src|\.github)$|\.(d\.[cm]?ts|ts|map|md|markdown)$/;

const lockSchema = z.object({
  packages: z.record(z.string(), z.looseObject({ dependencies: z.record(z.string(), z.string()).optional() })),
});
const manifestSchema = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()),
});

/**
 * Compiles and packs the package.
 *
 * @param root folder of the project
 * @returns path of the archive
 * @throws {UserError} when the compiler or npm fails
 */
export async function packRehearsal(root: string): Promise<string> {
  const out = join(root, ".orion", "package");
  const folder = join(out, "orion-rehearsal");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await compile(root, folder);
  const loaded = reachable(folder);
  for (const path of globSync("**/*.{js,json,d.ts}", { cwd: folder })) {
    if (!loaded.files.has(path) && path !== "rehearsal/index.d.ts") rmSync(join(folder, path));
  }
  for (const path of assets) cpSync(join(root, path), join(folder, path), { recursive: true });
  cpSync(join(root, "rehearsal/bin"), join(folder, "rehearsal/bin"), { recursive: true });
  cpSync(join(root, "rehearsal/README.md"), join(folder, "README.md"));
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  const manifest = manifestOf(root, loaded.packages);
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const path of installedFor(root, Object.keys(manifest.dependencies))) takeAlong(root, path, folder);
  const packed = await tryRun("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", out], {
    cwd: folder,
  });
  if (packed.code !== 0) throw new UserError(`npm pack failed:\n${packed.output.trim()}`);
  return join(out, `orion-rehearsal-${manifest.version}.tgz`);
}

/** JavaScript of everything that the entries import, laid out as the sources are. */
async function compile(root: string, folder: string): Promise<void> {
  const settings = join(folder, "tsconfig.json");
  const compilerOptions = {
    ...{ noEmit: false, incremental: false, declaration: true, rewriteRelativeImportExtensions: true },
    ...{ outDir: folder, rootDir: root, types: ["node"], typeRoots: [join(root, "node_modules/@types")] },
  };
  const files = entries.map((path) => join(root, path));
  writeFileSync(
    settings,
    JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, files, include: [] }),
  );
  const { code, output } = await tryRun(join(root, "node_modules/.bin/tsc"), ["--project", settings]);
  if (code !== 0) throw new UserError(`The package was not compiled:\n${output.trim()}`);
  rmSync(settings);
}

/** The compiled files that are loaded, and the names of packages that they import; imports of types alone load nothing. */
function reachable(folder: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    files.add(path);
    const text = readFileSync(join(folder, path), "utf8");
    for (const [, from, later] of text.matchAll(
      /^(?:(?:import|export)\s[^"';]*?\sfrom|import)\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
    )) {
      const name = from ?? later ?? "";
      if (name.startsWith(".")) visit(join(dirname(path), name));
      else if (!name.startsWith("node:")) packages.add(/^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
    }
  };
  for (const entry of entries) visit(entry.replace(/\.ts$/, ".js"));
  return { files, packages };
}

function manifestOf(root: string, packages: ReadonlySet<string>) {
  const own = readManifest(root, "rehearsal");
  const dependencies = Object.fromEntries(
    [...packages].sort().map((name) => {
      const version = own.dependencies[name];
      if (version === undefined)
        throw new UserError(`rehearsal/package.json does not list ${name}, which rehearsal/ imports.`);
      return [name, version];
    }),
  );
  return {
    name: "orion-rehearsal",
    version: own.version,
    description: "Emulated Hetzner Cloud, Cloudflare and R2 on this machine, for tests and rehearsals",
    license: "Apache-2.0",
    type: "module",
    bin: { "orion-rehearsal": "rehearsal/bin/orion-rehearsal.js" },
    exports: { ".": { types: "./rehearsal/index.d.ts", default: "./rehearsal/index.js" } },
    engines: { node: ">=22.13" },
    dependencies,
    // With them inside, it installs where no registry of packages is reached, in the versions that it was tested with.
    bundleDependencies: Object.keys(dependencies),
  };
}

const readManifest = (root: string, folder: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")));

/** The folders of packages and of everything that they depend on, as npm has installed them for rehearsal/. */
function installedFor(root: string, names: readonly string[]): ReadonlySet<string> {
  const { packages } = lockSchema.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  const found = new Set<string>();
  const visit = (name: string, from: string): void => {
    const places = [from, ...parentsOf(from), ""].map((place) => join(place, "node_modules", name));
    const place = places.find((one) => packages[one] !== undefined);
    if (place === undefined) throw new UserError(`package-lock.json does not have ${name}.`);
    if (found.has(place)) return;
    found.add(place);
    for (const other of Object.keys(packages[place]?.dependencies ?? {})) visit(other, place);
  };
  for (const name of names) visit(name, "rehearsal");
  return found;
}

/** `node_modules/a/node_modules/b` lies in `node_modules/a`. */
const parentsOf = (place: string): string[] => {
  const last = place.lastIndexOf("/node_modules/");
  return last < 0 ? [] : [place.slice(0, last), ...parentsOf(place.slice(0, last))];
};

function takeAlong(root: string, path: string, folder: string): void {
  const target = join(folder, path.replace(/^rehearsal\//, ""));
  const from = join(root, path);
  cpSync(from, target, {
    recursive: true,
    filter: (one) => {
      const inside = one.slice(from.length);
      return !inside.includes("/node_modules") && !(needless.test(inside) && !isLoaded(root, path, inside));
    },
  });
}

/** Whether a folder named like one for tests or sources is where the package's own program lies. */
function isLoaded(root: string, path: string, inside: string): boolean {
  const { main = "" } = z
    .looseObject({ main: z.string().optional() })
    .parse(JSON.parse(readFileSync(join(root, path, "package.json"), "utf8")));
  return existsSync(join(root, path, inside)) && join("/", main).startsWith(`${inside}/`);
}

/** Runs the command. @param root folder of the project */
export async function packageRehearsal(root: string): Promise<number> {
  const path = await packRehearsal(root);
  say(`${path}  ${Math.round(statSync(path).size / 1024)} KiB`);
  return 0;
}
