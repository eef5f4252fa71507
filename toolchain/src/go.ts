/** Checks whether Go can build here (version, disk space), and explains a failed build from its log. */
import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../../common/user-error.ts";
import type { Run } from "../../common/process.ts";

/** Free space in GiB that a build with empty caches needs: the modules, Go's build cache and the programs. */
const requiredGiB = 6;

export interface Go {
  /** For example go1.26.4 */
  readonly version: string;
  readonly platform: string;
}

/** Bytes available to an unprivileged user on the file system of a path, which need not exist yet. */
export type FreeSpace = (path: string) => Promise<number>;

export const freeSpace: FreeSpace = async (path) => {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return bavail * bsize;
};

/**
 * Returns the installed Go after checking that it can build the modules.
 *
 * @param modules folders with a go.mod, whose `go` lines name the required version
 * @param cache folder of the built programs
 * @throws {UserError} when Go is missing or too old, or when there is not enough disk space
 */
export async function requireGo(modules: readonly string[], cache: string, run: Run, free: FreeSpace): Promise<Go> {
  const needed = modules.map(neededVersion).reduce((a, b) => (isOlder(a, b) ? b : a));
  const names = ["GOVERSION", "GOTOOLCHAIN", "GOOS", "GOARCH", "GOCACHE", "GOMODCACHE"];
  const { code, stdout } = await run("go", ["env", ...names], { cwd: cache });
  const advice = "Install it from https://go.dev/dl/ or with your package manager, then try again.";
  if (code === 127) {
    throw new UserError(
      `The engine must be built from source, which needs ${needed} or newer, and Go is not installed. ${advice}`,
    );
  }
  const [version = "", toolchain = "", os = "", arch = "", ...caches] = stdout.trim().split("\n");
  if (code !== 0 || version === "") throw new UserError("`go env` does not answer. Check the installation of Go.");
  // From 1.21 on, Go downloads the version that a module needs, unless GOTOOLCHAIN forbids it.
  const updates = !isOlder(version, "go1.21") && toolchain !== "local" && !toolchain.startsWith("go");
  if (isOlder(version, needed) && !updates) {
    throw new UserError(
      `The engine must be built from source, and Go is too old: got ${version}, expected ${needed} or newer. ${advice}`,
    );
  }
  for (const folder of new Set([cache, ...caches])) {
    const gib = (await free(folder)) / 2 ** 30;
    if (gib < requiredGiB) {
      throw new UserError(
        `Building the engine needs ${requiredGiB} GiB of free space; ${folder} has ${gib.toFixed(1)} GiB. ` +
          "Free some space, or move that folder (XDG_CACHE_HOME, GOCACHE, GOMODCACHE).",
      );
    }
  }
  return { version, platform: `${os}-${arch}` };
}

/** Makes the error for a failed build: its likely cause and the end of its log. */
export function explainFailure(title: string, logPath: string, log: string): UserError {
  const causes: readonly (readonly [RegExp, string])[] = [
    [
      /dial tcp|no such host|proxyconnect|connection refused|i\/o timeout|TLS handshake|40[37] Forbidden|407 Proxy/i,
      "The Go module proxy could not be reached. Check the network, and GOPROXY where one is set (go env GOPROXY).",
    ],
    [/no space left on device/i, `The disk is full; a build needs ${requiredGiB} GiB.`],
    [/signal: killed|cannot allocate memory/i, "The build ran out of memory; it needs about 3 GiB."],
    [/checksum mismatch|SECURITY ERROR/, "A module does not match its checksum in go.sum; it was not used."],
  ];
  const cause = causes.find(([pattern]) => pattern.test(log))?.[1];
  const end = log
    .trimEnd()
    .split("\n")
    .slice(-8)
    .map((line) => `  | ${line}`)
    .join("\n");
  return new UserError(
    [`${title} could not be built.`, ...(cause ? [cause] : []), end, `Full log: ${logPath}`].join("\n"),
  );
}

/** Whether one Go version comes before another: go1.25 before go1.26.4. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [numbers(version), numbers(than)];
  for (const index of [0, 1, 2]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

const numbers = (version: string): number[] => (/(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? "").split(".").map(Number);

function neededVersion(module: string): string {
  const line = /^go (\S+)$/m.exec(readFileSync(join(module, "go.mod"), "utf8"));
  return `go${line?.[1] ?? ""}`;
}
