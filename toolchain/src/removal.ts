/** Lists what `make setup` installed on this machine, and removes it. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../common/user-error.ts";
import { daemonLog, daemonPid, installLog, type Machine, thisMachine } from "./docker.ts";
import { hasOrigin } from "./install.ts";
import type { ToolchainPaths } from "./parts.ts";

export interface Removal {
  /** For people: a folder, or a list of packages. */
  readonly what: string;
  readonly remove: () => Promise<void>;
}

export interface Removals {
  readonly removals: readonly Removal[];
  /** What stays although the setup has put it there, with the reason. */
  readonly kept: readonly string[];
}

/**
 * Only what the toolchain has installed itself: an engine or plugin that Pulumi has downloaded, and a Docker Engine that was there
 * before, stay.
 */
export async function removalsOf(places: ToolchainPaths, machine: Machine = thisMachine()): Promise<Removals> {
  const folders = [
    ...["versions", "plugins"].flatMap((kind) => installedIn(join(places.pulumiHome, kind))),
    // Everything that is built or downloaded on the way, also for images and rehearsal clouds.
    dirname(places.cache),
    join(places.root, ".orion", "cache"),
    // Last: this program runs from it.
    join(places.root, "node_modules"),
  ];
  const docker = await dockerRemoval(machine);
  return {
    removals: [
      ...(docker?.removal ? [docker.removal] : []),
      ...folders.filter((folder) => existsSync(folder)).map(ofFolder),
    ],
    kept: docker?.kept === undefined ? [] : [docker.kept],
  };
}

const installedIn = (parent: string): string[] =>
  existsSync(parent)
    ? readdirSync(parent)
        .map((name) => join(parent, name))
        .filter(hasOrigin)
        .sort()
    : [];

const ofFolder = (folder: string): Removal => ({
  what: folder,
  remove: () => {
    rmSync(folder, { recursive: true, force: true });
    return Promise.resolve();
  },
});

/** The Docker Engine, if the setup has installed it and nothing is on it. */
async function dockerRemoval(
  machine: Machine,
): Promise<{ readonly removal?: Removal; readonly kept?: string } | undefined> {
  const packages = installedPackages(machine.readText(installLog) ?? "");
  if (packages.length === 0) return undefined;
  const stays = (why: string) => ({ kept: `Docker Engine (${packages.join(" ")}): ${why}` });
  for (const [what, ...words] of [
    ["containers", "container", "ls", "--all", "--quiet"],
    ["volumes", "volume", "ls", "--quiet"],
  ] as const) {
    const { code, stdout } = await machine.run("docker", words, { timeoutSeconds: 20 });
    const count = stdout.split("\n").filter((line) => line !== "").length;
    if (code !== 0) return stays("it does not answer, so it is unknown whether it has containers or volumes");
    if (count > 0) return stays(`it has ${count} ${what}`);
  }
  const { stdout } = await machine.run("apt-get", ["--simulate", "remove", ...packages]);
  const others = [...stdout.matchAll(/^Remv (\S+)/gm)].flatMap(([, name = ""]) =>
    packages.includes(name) ? [] : [name],
  );
  if (others.length > 0) return stays(`other packages need it: ${others.join(", ")}`);
  return { removal: { what: `Docker Engine: ${packages.join(" ")}`, remove: () => removeDocker(machine, packages) } };
}

/** The packages that the installation of Docker was the first to bring, as dpkg reports them, whatever apt's version is. */
const installedPackages = (log: string): string[] => [
  ...new Set(
    [...log.matchAll(/^Selecting previously unselected package ([^\s:]+?)(?::\w+)?\.\r?$/gm)].map(
      ([, name = ""]) => name,
    ),
  ),
];

/** Images and volumes of the engine stay in /var/lib/docker: the packages are removed, not purged. */
async function removeDocker(machine: Machine, packages: readonly string[]): Promise<void> {
  const pid = (machine.readText(daemonPid) ?? "").trim();
  if (pid !== "" && machine.readText(`/proc/${pid}/comm`)?.trim() === "dockerd") await machine.run("kill", [pid]);
  const { code, output } = await machine.run("apt-get", ["remove", "-y", ...packages], {
    environment: { ...machine.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (code !== 0) throw new UserError(`apt-get could not remove ${packages.join(" ")}:\n${output.trim()}`);
  for (const file of [installLog, daemonLog, daemonPid]) machine.removeFile(file);
}
