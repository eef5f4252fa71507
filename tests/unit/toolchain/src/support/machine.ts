/** A project of its own in a temporary folder, and a machine whose programs are played. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Tools } from "../../../../../toolchain/src/engine.ts";
import { archiveUrl, thisPlatform } from "../../../../../toolchain/src/checksums.ts";
import { downloadHost } from "../../../../../toolchain/src/download.ts";
import { partsOf, type ToolchainPaths } from "../../../../../toolchain/src/parts.ts";
import { progressOn } from "../../../../../toolchain/src/progress.ts";
import type { Outcome, Run, RunOptions } from "../../../../../common/process.ts";
import { temporaryFolder } from "../../../../../testing/folder.ts";
import { outcomeOf } from "../../../support/process.ts";

export const ok = outcomeOf({});
export const failed = outcomeOf({ code: 1, stderr: "no" });

/** The least that the toolchain needs of a project. */
export function makeProject(): ToolchainPaths {
  const root = temporaryFolder("toolchain");
  const dependencies = Object.fromEntries(
    ["hcloud", "docker", "random", "tls", "cloudflare"].map((name) => [`@pulumi/${name}`, "1.2.3"]),
  );
  writeFileSync(join(root, "package.json"), JSON.stringify({ dependencies }));
  for (const name of ["engine", "language", "plugins"]) {
    mkdirSync(join(root, "toolchain", "go", name), { recursive: true });
    writeFileSync(join(root, "toolchain", "go", name, "go.mod"), "module x\n\ngo 1.26.4\n");
  }
  const places = { root, pulumiHome: join(root, "pulumi"), cache: join(root, "cache") };
  const pins = partsOf(places).map((part) => {
    const sha256 = createHash("sha256")
      .update(archiveOf(archiveUrl(part, thisPlatform(), downloadHost)))
      .digest("hex");
    return [part.name, { version: part.version, date: "2026-11-29", sha256: { [thisPlatform()]: sha256 } }] as const;
  });
  pinAs(places, Object.fromEntries(pins));
  return places;
}

/** What the download host has at a URL. */
const archiveOf = (url: string): string => `archive ${url}`;

/** Writes the project's checksums. */
export function pinAs({ root }: ToolchainPaths, checksums: unknown): void {
  writeFileSync(join(root, "toolchain", "checksums.json"), JSON.stringify(checksums));
}

/** Writes what counts as a program. */
export function writeProgram(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "program", { mode: 0o755 });
}

export interface Given {
  /** Whether the download host answers. */
  readonly download?: boolean;
  /** Parts that cannot be downloaded all the same. */
  readonly withheld?: readonly string[];
  /** Parts in place of which the host delivers something else. */
  readonly forged?: readonly string[];
  /** What `go env` says. */
  readonly go?: Partial<Outcome>;
  /** What the build of a program does, instead of writing it. */
  readonly build?: (program: string, options: RunOptions) => Outcome | Promise<Outcome>;
  /** What the generation of a plugin's schema does, instead of writing it. */
  readonly generate?: () => Outcome;
  readonly freeGiB?: number;
}

export interface Played {
  readonly tools: Tools;
  /** What was started: a program and the first two of its arguments. */
  readonly ran: string[];
  /** How the builds were started. */
  readonly builds: { readonly args: readonly string[]; readonly options: RunOptions }[];
  readonly said: string[];
}

export function machine(places: ToolchainPaths, given: Given = {}): Played {
  const { download = false, withheld = [], forged = [], go, freeGiB = 100 } = given;
  const played = { ran: [] as string[], builds: [] as Played["builds"], said: [] as string[] };
  const play = (program: string, args: readonly string[], options: RunOptions): Outcome | Promise<Outcome> => {
    if (program === "curl") {
      const url = args.at(-1) ?? "";
      if (!download) return failed;
      if (args.includes("--head")) return ok;
      const isOneOf = (names: readonly string[]) =>
        names.some((name) => url.includes(name === "engine" ? "/sdk/" : `-${name}-`));
      if (isOneOf(withheld)) return failed;
      writeFileSync(args[args.indexOf("--output") + 1] ?? "", isOneOf(forged) ? "something else" : archiveOf(url));
      return ok;
    }
    if (program === "tar") {
      const [archive = "", folder = ""] = ["-xzf", "-C"].map((flag) => args[args.indexOf(flag) + 1]);
      const plugin = /pulumi-resource-\w+/.exec(readFileSync(archive, "utf8"))?.[0];
      for (const name of plugin ? [plugin] : ["pulumi", "pulumi-language-nodejs"]) writeProgram(join(folder, name));
      return ok;
    }
    if (program === "go" && args[0] === "env") {
      const { root } = places;
      return { ...ok, stdout: `go1.26.4\nauto\nlinux\namd64\n${root}/gocache\n${root}/gomod\n`, ...go };
    }
    if (program === "go") {
      played.builds.push({ args, options });
      const target = args[args.indexOf("-o") + 1] ?? "";
      if (given.build) return given.build(target, options);
      writeProgram(target);
      return ok;
    }
    if (args[0] === "generate") {
      if (given.generate) return given.generate();
      writeFileSync(join(args[3] ?? "", "schema.json"), "{}");
      return ok;
    }
    throw new Error(`the test knows no ${program} ${args.join(" ")}`);
  };
  const run: Run = async (program, args, options = {}) => {
    played.ran.push([program.split("/").pop(), ...args.slice(0, 2)].join(" "));
    return play(program, args, options);
  };
  const progress = progressOn({ write: (text) => played.said.push(text) });
  const env = { PATH: "/bin", GOOS: "plan9", GOWORK: "/elsewhere/go.work" };
  return { ...played, tools: { env, run, progress, free: () => Promise.resolve(freeGiB * 2 ** 30) } };
}
