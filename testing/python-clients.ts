/** Clients of the emulated APIs that are written in Python, in the versions and with the hashes of their requirements.txt. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { tryRun } from "../common/process.ts";
import { createFolderAtomically } from "../toolchain/src/install.ts";
import { pythonTool, uvEnvironment } from "../tools/python-tools.ts";
import { succeed } from "./sandbox.ts";

/** Those of the contract tests. */
const usual = "tests/contract/rehearsal/clients/requirements.txt";

/**
 * The folder of their programs, `python` among them; they are installed when they are missing.
 *
 * @param root folder of the project
 * @param requirements their file, from there
 * @throws {Error} when Python or the index of packages is not available
 */
export async function pythonClients(root: string, requirements = usual): Promise<string> {
  const file = join(root, requirements);
  const hash = createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 16);
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = join(cache, "orion", "python-clients", hash);
  const programs = join(folder, "bin");
  if (existsSync(programs)) return programs;
  const uv = await pythonTool(root, "uv");
  const environment = await uvEnvironment();
  const run = async (...args: string[]) => {
    const { code, output } = await tryRun(uv, args, { environment });
    succeed({ code: code ?? 1, output });
  };
  await createFolderAtomically(folder, async (unfinished) => {
    await run("venv", "--quiet", "--relocatable", "--allow-existing", unfinished);
    await run(
      ...[
        "pip",
        "install",
        "--quiet",
        "--no-progress",
        "--require-hashes",
        "--python",
        join(unfinished, "bin", "python"),
      ],
      ...["--requirement", file],
    );
  });
  return programs;
}

/** The version of a client in requirements.txt. */
export function versionOf(root: string, name: string, requirements = usual): string {
  const [, version] = new RegExp(`^${name}==(\\S+)`, "m").exec(readFileSync(join(root, requirements), "utf8")) ?? [];
  if (version === undefined) throw new Error(`${requirements} does not have ${name}`);
  return version;
}
