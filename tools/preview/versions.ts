/** The stacks of two commits of a repository, each composed by the program of its own commit. */
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runSync } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import type { ComposedStacks } from "./composed.ts";

export interface Versions {
  readonly before: ComposedStacks;
  readonly after: ComposedStacks;
  /** The version before could not compose its stacks itself: this version's program has read its stack files. */
  readonly borrowed: boolean;
}

/** Path of the program that prints the stacks of a folder, within a version of the repository. */
const program = "tools/preview/compose.ts";

/**
 * Composes the stacks of a commit and of the working tree.
 *
 * @param root folder of the repository
 * @throws {UserError} when the commit does not exist
 */
export async function versionsSince(root: string, base: string): Promise<Versions> {
  const folder = mkdtempSync(join(tmpdir(), "orion-preview-"));
  const tree = join(folder, "base");
  try {
    // A commit is checked out beside the working tree; nothing of the repository's own files changes.
    const { code, stderr } = runSync("git", ["worktree", "add", "--quiet", "--detach", tree, base], { cwd: root });
    if (code !== 0) throw new UserError(`The commit '${base}' could not be checked out: ${stderr.trim()}`);
    const modules = join(tree, "node_modules");
    if (!existsSync(modules)) symlinkSync(join(root, "node_modules"), modules);
    const [after, own] = await Promise.all([composedBy(root, root), composedBy(tree, tree)]);
    if (after === undefined) throw new UserError("This version's program could not compose its stacks.");
    const before = own ?? (await composedBy(root, tree));
    if (before === undefined) throw new UserError(`The stack files of '${base}' could not be read.`);
    return { before, after, borrowed: own === undefined };
  } finally {
    runSync("git", ["worktree", "remove", "--force", tree], { cwd: root });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns undefined when that version has no such program, or it fails */
async function composedBy(version: string, folder: string): Promise<ComposedStacks | undefined> {
  if (!existsSync(join(version, program))) return undefined;
  const { code, stdout, stderr } = await run("node", [program, folder], { cwd: version });
  if (code !== 0) {
    process.stderr.write(stderr);
    return undefined;
  }
  return JSON.parse(stdout) as ComposedStacks;
}
