/** The parts to install (engine, language host, plugins), their versions, and the folders where Pulumi looks for them. */
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { isRecord } from "../../common/record.ts";
import { UserError } from "../../common/user-error.ts";

/** The release of the engine; toolchain/go/engine/go.mod names the same one. */
export const engineVersion = "3.255.0";

/** Plugins that can be built when their download fails. */
const buildable = ["hcloud", "docker", "random", "tls"] as const;

/** Plugins that can only be downloaded: their providers are not published as Go modules. */
const downloadOnly = ["cloudflare"] as const;

export interface ToolchainPaths {
  /** Folder of the project. */
  readonly root: string;
  /** Folder where Pulumi keeps its engine and plugins. */
  readonly pulumiHome: string;
  /** Folder of built programs and build logs. */
  readonly cache: string;
}

export interface Part {
  /** `engine`, or a plugin's name. */
  readonly name: string;
  readonly kind: "engine" | "plugin";
  readonly version: string;
  /** Where Pulumi looks for the part; it is installed as a whole or not at all. */
  readonly folder: string;
  /** Paths of the part's programs, relative to its folder. */
  readonly programs: readonly string[];
  readonly buildable: boolean;
}

/** The folders that a project uses, from the user's environment. */
export function toolchainPaths(root: string, env: Readonly<Record<string, string | undefined>>): ToolchainPaths {
  const home = env["HOME"] ?? homedir();
  const cacheHome = env["XDG_CACHE_HOME"] ?? "";
  return {
    root,
    pulumiHome: env["PULUMI_HOME"] ?? join(home, ".pulumi"),
    cache: join(cacheHome === "" ? join(home, ".cache") : cacheHome, "orion", "toolchain"),
  };
}

/**
 * The engine and the plugins of the project.
 *
 * @throws {UserError} when package.json pins no exact version of a plugin's SDK
 */
export function partsOf(places: ToolchainPaths): Part[] {
  const manifest: unknown = JSON.parse(readFileSync(join(places.root, "package.json"), "utf8"));
  const plugin = (name: string, isBuildable: boolean): Part => {
    const version = pinnedVersion(manifest, `@pulumi/${name}`);
    return {
      name,
      kind: "plugin",
      version,
      folder: join(places.pulumiHome, "plugins", `resource-${name}-v${version}`),
      programs: [`pulumi-resource-${name}`],
      buildable: isBuildable,
    };
  };
  return [
    {
      name: "engine",
      kind: "engine",
      version: engineVersion,
      folder: join(places.pulumiHome, "versions", engineVersion),
      programs: ["bin/pulumi", "bin/pulumi-language-nodejs"],
      buildable: true,
    },
    ...buildable.map((name) => plugin(name, true)),
    ...downloadOnly.map((name) => plugin(name, false)),
  ];
}

/** Whether every program of the part is where Pulumi looks for it. */
export function isInstalled(part: Part): boolean {
  return part.programs.every((program) => isProgram(join(part.folder, program)));
}

/** The folder of the engine's own programs. */
export const engineFolder = (places: ToolchainPaths): string =>
  join(places.pulumiHome, "versions", engineVersion, "bin");

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).size > 0;
  } catch {
    return false;
  }
}

function pinnedVersion(manifest: unknown, dependency: string): string {
  const dependencies = isRecord(manifest) && isRecord(manifest["dependencies"]) ? manifest["dependencies"] : {};
  const version = dependencies[dependency];
  if (typeof version !== "string" || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new UserError(
      `package.json: dependencies.${dependency} is ${JSON.stringify(version)}; expected an exact version such as 1.2.3, because the plugin must have the same version.`,
    );
  }
  return version;
}
