/** `make requirements`: writes each requirements.txt, with the hashes of all files of each package, from its requirements.in. */
import { join } from "node:path";
import { tryRun } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { imagePython } from "./outdated/packages.ts";
import { pythonTool, uvEnvironment } from "./python-tools.ts";
import { say } from "./terminal.ts";

/** In this order: the second is constrained by the first. */
export const requirementFiles = [
  "sample-app/requirements",
  "sample-app/requirements-dev",
  "images/docs/requirements",
  "tests/contract/rehearsal/clients/requirements",
  "tests/long/clients/requirements",
] as const;

/**
 * @param root folder of the project
 * @param upgrade whether to take the newest versions that requirements.in allows; otherwise versions stay
 * @throws {UserError} when a package or the index is not available
 */
export async function writeRequirements(root: string, upgrade: boolean): Promise<number> {
  const uv = await pythonTool(root, "uv");
  const environment = await uvEnvironment();
  for (const file of requirementFiles) {
    const cwd = join(root, file, "..");
    const name = file.split("/").at(-1) ?? "";
    const { code, output } = await tryRun(
      uv,
      [
        ...["pip", "compile", "--quiet", "--no-progress", "--generate-hashes", "--no-header"],
        ...["--python-version", imagePython, ...(upgrade ? ["--upgrade"] : [])],
        ...["--output-file", `${name}.txt`, `${name}.in`],
      ],
      { cwd, environment },
    );
    if (code !== 0) throw new UserError(`${file}.txt could not be written:\n${output.trim()}`);
    say(`${file}.txt is written.`);
  }
  return 0;
}
