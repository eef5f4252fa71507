/** Builds the third-party Go programs that the rehearsal cloud and its tests run; cached by their go.sum. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { explainFailure } from "../../toolchain/src/go.ts";
import { createFolderAtomically } from "../../toolchain/src/install.ts";
import { withLock } from "../../toolchain/src/lock.ts";
import { type Progress, progressOn } from "../../toolchain/src/progress.ts";
import { type Run, tryRun } from "../../common/process.ts";

export interface Program {
  /** Name of the program and of its folder beside this file, which has go.mod and go.sum. */
  readonly name: "storage" | "registry" | "acme" | "terraform-provider-hcloud" | "actionlint";
  readonly title: string;
  readonly package: string;
}

/** S3 server for the objects of R2 buckets. */
export const storage: Program = {
  name: "storage",
  title: "object storage (versitygw)",
  package: "github.com/versity/versitygw/cmd/versitygw",
};

/** OCI registry from which servers pull their images. */
export const registry: Program = {
  name: "registry",
  title: "image registry (distribution)",
  package: "github.com/distribution/distribution/v3/cmd/registry",
};

/** ACME authority that Let's Encrypt tests clients with. */
export const acme: Program = {
  name: "acme",
  title: "ACME authority (pebble)",
  package: "github.com/letsencrypt/pebble/v2/cmd/pebble",
};

/** Provider with which a test runs Terraform or OpenTofu against the emulated Hetzner Cloud. */
export const terraformProvider: Program = {
  name: "terraform-provider-hcloud",
  title: "Terraform provider for Hetzner Cloud",
  package: "github.com/hetznercloud/terraform-provider-hcloud",
};

/** Linter with which a test checks the workflows of this repository. */
export const actionlint: Program = {
  name: "actionlint",
  title: "linter of workflows (actionlint)",
  package: "github.com/rhysd/actionlint/cmd/actionlint",
};

export interface BuildOptions {
  /** The folder of the project. */
  readonly root: string;
  /** @default that of the process */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** @default lines on standard error */
  readonly progress?: Progress;
  /** @default a child process */
  readonly run?: Run;
}

const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"];

function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  const cacheHome = env["XDG_CACHE_HOME"] ?? "";
  const base = cacheHome === "" ? join(env["HOME"] ?? homedir(), ".cache") : cacheHome;
  return join(base, "orion", "rehearsal");
}

/**
 * Returns the path of a program, and builds it when it is not in the cache.
 *
 * @throws {UserError} when the build fails: the end of its log and, if known, the cause
 */
export async function ensureProgram(program: Program, options: BuildOptions): Promise<string> {
  const { root, env = process.env, progress = progressOn(), run: runner = tryRun } = options;
  const sources = join(root, "rehearsal", "programs", program.name);
  const cache = cacheFolder(env);
  const entry = join(cache, `${program.name}-${fingerprint(program, sources)}`);
  const path = join(entry, program.name);
  if (existsSync(path)) return path;
  const waiting = (pid: number): void => {
    progress.say(`  ${program.title}: waiting for process ${pid}, which is building it`);
  };
  await withLock(join(cache, `${program.name}.lock`), waiting, async () => {
    if (existsSync(path)) return;
    await progress.during(`${program.title}: building from source`, "built", () =>
      createFolderAtomically(entry, (folder) =>
        compile(program, sources, cache, join(folder, program.name), env, runner),
      ),
    );
  });
  return path;
}

function fingerprint(program: Program, sources: string): string {
  const hash = createHash("sha256").update(JSON.stringify([program.package, flags, process.platform, process.arch]));
  for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(join(sources, file)));
  return hash.digest("hex").slice(0, 16);
}

async function compile(
  program: Program,
  sources: string,
  cache: string,
  target: string,
  env: Readonly<Record<string, string | undefined>>,
  runner: Run,
): Promise<void> {
  const log = join(cache, `${program.name}.log`);
  mkdirSync(cache, { recursive: true });
  writeFileSync(log, "");
  // Go's scratch folder lies in the cache, because /tmp may be small.
  const scratch = mkdtempSync(join(cache, ".orion-unfinished-"));
  try {
    const { code } = await runner("go", ["build", ...flags, "-o", target, program.package], {
      cwd: sources,
      environment: { ...env, CGO_ENABLED: "0", GOOS: undefined, GOARCH: undefined, GOWORK: "off", GOTMPDIR: scratch },
      log,
    });
    if (code !== 0 || !existsSync(target)) throw explainFailure(program.title, log, readFileSync(log, "utf8"));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
