/** Reads this machine's package sources and starts mmdebstrap with them, for the Debian base image of the equivalents. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ContextFile } from "./context.ts";

/** Debian release; its PostgreSQL, Redis, nginx and Python have the major versions of the official images. */
export const suite = "bookworm";

/** Modification time of built files in seconds since 1970: the release date of the suite, so that builds are reproducible. */
export const buildEpoch = 1_686_355_200;

const machineFiles = {
  sources: "/etc/apt",
  authorities: "/usr/local/share/ca-certificates",
  release: "/etc/os-release",
};

/** Settings of apt that this machine needs to reach its sources, and that images built on it need as well. */
const aptSettings = /^Acquire::(?:(?:http|https)::Proxy|Check-Valid-Until|Check-Date) /;

const options = [
  "--variant=minbase",
  "--include=ca-certificates",
  ...[
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/locale.alias",
  ].map((rule) => `--dpkgopt=${rule}`),
];

export interface DebianPlan {
  /** Lines for sources.list; when empty, mmdebstrap chooses its default. */
  readonly sources: readonly string[];
  /** Lines for apt.conf. */
  readonly settings: readonly string[];
  /** Certificate authorities added to this machine, as files of a build context. */
  readonly authorities: readonly ContextFile[];
}

/**
 * Extracts the main, updates and security entries of Debian itself from apt's source lists, for the suite above.
 *
 * @param files Contents of `*.list` and `*.sources` files.
 * @param machineSuite Code name of the machine's own release; its mirrors serve the suite too.
 * @param readMirrorList Reads the file that a `mirror+file:` address names.
 */
export function debianSources(
  files: readonly string[],
  machineSuite: string,
  readMirrorList: (path: string) => string = () => "",
): string[] {
  const lines = files.flatMap(sourceEntries).flatMap(({ uri, name, components }) => {
    const address = uri.startsWith("mirror+file:")
      ? (readMirrorList(uri.slice("mirror+file:".length)).match(/^\s*(\S+:\/\/\S+)/m)?.[1] ?? "")
      : uri;
    const kind = name === machineSuite || name === suite ? "" : /-(updates|security)$/.exec(name)?.[0];
    const ofDebian =
      /^[a-z+]+:\/\/[^/]*\/.*debian/.test(address) && (name.split("-")[0] === machineSuite || name.startsWith(suite));
    return ofDebian && kind !== undefined && components.includes("main") ? [`deb ${address} ${suite}${kind} main`] : [];
  });
  return [...new Set(lines)].sort();
}

interface SourceEntry {
  readonly uri: string;
  readonly name: string;
  readonly components: readonly string[];
}

/** Entries of one source list, in the one-line or the deb822 format. */
function sourceEntries(text: string): SourceEntry[] {
  const plain = text.replace(/^\s*#.*\n?/gm, "");
  if (!/^Types:/m.test(plain)) {
    return [...plain.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/gm)].map(
      ([, uri = "", name = "", rest = ""]) => ({
        uri,
        name,
        components: rest.trim().split(/\s+/),
      }),
    );
  }
  return plain.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (key: string) => new RegExp(`^${key}:\\s*(.*)$`, "mi").exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    if (!field("Types").includes("deb") || field("Enabled").includes("no")) return [];
    return field("URIs").flatMap((uri) =>
      field("Suites").map((name) => ({ uri, name, components: field("Components") })),
    );
  });
}

/**
 * Reads this machine's package sources, apt settings and added certificate authorities.
 *
 * @param aptConfiguration What `apt-config dump` prints.
 */
export function readDebianPlan(aptConfiguration: string): DebianPlan {
  const { sources, authorities, release } = machineFiles;
  const lists = [join(sources, "sources.list"), ...filesIn(join(sources, "sources.list.d"), /\.(list|sources)$/)];
  const machine = readText(release);
  const codeName = /^ID=debian$/m.test(machine) ? (/^VERSION_CODENAME=(\S+)$/m.exec(machine)?.[1] ?? suite) : suite;
  return {
    sources: debianSources(lists.map(readText), codeName, readText),
    settings: aptConfiguration.split("\n").filter((line) => aptSettings.test(line) && !line.endsWith('"";')),
    authorities: filesIn(authorities, /\.crt$/).map((path) => ({
      path: `authorities/${path.slice(authorities.length + 1)}`,
      content: readFileSync(path),
      kind: "file",
    })),
  };
}

/** Everything that determines the root file system, for its hash. */
export function rootfsFacts({ sources, settings }: DebianPlan): string[] {
  return [
    "rootfs",
    suite,
    String(buildEpoch),
    process.arch,
    ...options,
    "sources",
    ...sources,
    "settings",
    ...settings,
  ];
}

/** Starts mmdebstrap, which writes the root file system as a tar archive to its standard output. */
export function startBootstrap({ sources, settings }: DebianPlan) {
  return spawn(
    "mmdebstrap",
    [...options, ...settings.map((line) => `--aptopt=${line}`), "--format=tar", suite, "-", ...sources],
    { env: { ...process.env, SOURCE_DATE_EPOCH: String(buildEpoch) }, stdio: ["ignore", "pipe", "pipe"] },
  );
}

function filesIn(folder: string, pattern: RegExp): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
