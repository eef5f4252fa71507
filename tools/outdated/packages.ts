/** Which npm, Python and Go packages are outdated, as npm, pip and Go report it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Outcome, Run } from "../../common/process.ts";
import { engineVersion } from "../../toolchain/src/parts.ts";
import { distance, type Item } from "./report.ts";

const seconds = 120;

/** The item for a question that was not answered. */
export const unanswered = (kind: Item["kind"], name: string, current: string, why: string): Item => ({
  ...{ kind, name, current },
  state: "unknown",
  note: why,
});

export const lastLine = ({ output, code }: Outcome): string =>
  code === undefined ? "no answer in time" : (output.trim().split("\n").at(-1) ?? "");

const npmSchema = z.record(
  z.string(),
  z
    .object({ current: z.string().optional(), latest: z.string() })
    .or(z.array(z.object({ current: z.string().optional(), latest: z.string() })).transform(([first]) => first)),
);
const manifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
});

/** The direct dependencies of package.json. */
export async function npmItems(root: string, run: Run): Promise<Item[]> {
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  const direct = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    ([name]) => !name.startsWith("@orion/"),
  );
  const outcome = await run("npm", ["outdated", "--json"], { cwd: root, timeoutSeconds: seconds });
  const answer = npmSchema.safeParse(readJson(outcome.stdout));
  // Its exit code is 1 when something is outdated, and also when the registry does not answer.
  if (!answer.success || (outcome.code !== 0 && outcome.code !== 1)) {
    return [unanswered("npm", "package.json", `${direct.length} packages`, lastLine(outcome))];
  }
  return direct.map(([name, current]) => versionItem("npm", name, current, answer.data[name]?.latest ?? current));
}

const pipSchema = z.object({
  install: z.array(z.object({ metadata: z.object({ name: z.string(), version: z.string() }) })),
});

/** The folders with a requirements.in and the requirements.txt that follows from it. */
const requirementFolders = ["sample-app", "images/docs"] as const;

/** Python of the images: what pip chooses must run there. */
export const imagePython = "3.11";

/** The packages of requirements.txt, compared with what requirements.in would bring today. */
export async function pipItems(root: string, run: Run): Promise<Item[]> {
  const all = await Promise.all(
    requirementFolders.map(async (folder): Promise<Item[]> => {
      const pinned = pinsIn(readFileSync(join(root, folder, "requirements.txt"), "utf8"));
      const outcome = await run(
        "pip",
        [
          ...["install", "--dry-run", "--ignore-installed", "--quiet", "--disable-pip-version-check", "--report", "-"],
          ...["--only-binary=:all:", "--python-version", imagePython, "--target", join(root, ".orion", "cache", "pip")],
          ...["--requirement", join(root, folder, "requirements.in")],
        ],
        { timeoutSeconds: seconds },
      );
      const answer = pipSchema.safeParse(readJson(outcome.stdout));
      if (!answer.success)
        return [unanswered("pip", `${folder}/requirements.txt`, `${pinned.size} packages`, lastLine(outcome))];
      const latest = new Map(answer.data.install.map(({ metadata }) => [normal(metadata.name), metadata.version]));
      return [...pinned].map(([name, version]) => versionItem("pip", name, version, latest.get(name) ?? version));
    }),
  );
  return all.flat();
}

const normal = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");

/** The versions of a requirements.txt, by the normal form of the names. */
export const pinsIn = (text: string): Map<string, string> =>
  new Map(
    [...text.matchAll(/^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)/gm)].map(([, name = "", version = ""]) => [
      normal(name),
      version,
    ]),
  );

const pathSchema = z.object({ Path: z.string() });
const modSchema = z.object({
  Require: z
    .array(z.object({ Path: z.string(), Version: z.string(), Indirect: z.boolean().default(false) }))
    .nullish()
    .transform((list) => list ?? []),
  Replace: z
    .array(z.object({ Old: pathSchema }))
    .nullish()
    .transform((list) => list ?? []),
  Tool: z
    .array(pathSchema)
    .nullish()
    .transform((list) => list ?? []),
});
const moduleSchema = z.object({
  Path: z.string(),
  Version: z.string(),
  Update: z.object({ Version: z.string() }).optional(),
});

/** The modules that a go.mod names for itself, by what `go mod edit -json` prints. Pure. */
export function directModules(text: string): { readonly path: string; readonly version: string }[] {
  const { Require, Replace, Tool } = modSchema.parse(readJson(text));
  const replaced = new Set(Replace.map(({ Old }) => Old.Path));
  // A tool's module is marked as indirect when no package here imports it.
  const isTool = (path: string) => Tool.some((tool) => tool.Path.startsWith(`${path}/`));
  return Require.filter(({ Path, Indirect }) => (!Indirect || isTool(Path)) && !replaced.has(Path)).map(
    ({ Path, Version }) => ({ path: Path, version: Version }),
  );
}

/** What the Go programs that are built here require themselves; among it is the engine. */
export async function goItems(root: string, run: Run): Promise<Item[]> {
  const base = join(root, "toolchain", "go");
  const folders = readdirSync(base, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const all = await Promise.all(
    folders.map(async ({ name: folder }): Promise<Item[]> => {
      const cwd = join(base, folder);
      const edited = await run("go", ["mod", "edit", "-json"], { cwd, timeoutSeconds: seconds });
      if (edited.code !== 0) return [unanswered("go", `toolchain/go/${folder}`, "", lastLine(edited))];
      return Promise.all(directModules(edited.stdout).map((module) => goItem(module, cwd, run)));
    }),
  );
  return [...new Map(all.flat().map((item) => [`${item.kind} ${item.name} ${item.current}`, item])).values()];
}

async function goItem(
  { path, version }: { readonly path: string; readonly version: string },
  cwd: string,
  run: Run,
): Promise<Item> {
  const listed = await run("go", ["list", "-mod=readonly", "-m", "-u", "-json", path], {
    cwd,
    environment: { GOWORK: "off" },
    timeoutSeconds: seconds,
  });
  const { data } = moduleSchema.safeParse(readJson(listed.stdout));
  const isEngine = path === engineModule;
  const [kind, name, current] = isEngine
    ? (["engine", "pulumi", engineVersion] as const)
    : (["go", path, version] as const);
  if (listed.code !== 0 || !data) return unanswered(kind, name, current, lastLine(listed).trim());
  const latest = data.Update?.Version ?? data.Version;
  return versionItem(kind, name, current, isEngine ? latest.replace(/^v/, "") : latest);
}

const engineModule = "github.com/pulumi/pulumi/pkg/v3";

function versionItem(kind: Item["kind"], name: string, current: string, latest: string): Item {
  const by = distance(current, latest);
  return by === undefined
    ? { kind, name, current, state: "current" }
    : { kind, name, current, latest, state: "behind", note: by };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
