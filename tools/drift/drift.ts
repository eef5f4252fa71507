/**
 * `make drift`: compares what really exists with a stack's state and program. In a job of GitHub Actions it keeps one issue about
 * it. Nothing is changed, and no lock is taken.
 */
import { appendFileSync } from "node:fs";
import { runSync } from "../../common/process.ts";
import { stackExists } from "../../guard/backend.ts";
import { UserError } from "../../common/user-error.ts";
import { hasServers } from "../../topology/topology.ts";
import { knowHosts } from "../engines.ts";
import { enginePreview } from "../engine-preview.ts";
import { gitHubOfJob } from "../github.ts";
import { lockStore, locksOf } from "../recovery/state-lock.ts";
import type { StackFile } from "../stack-file.ts";
import { bold, dim, green, red, say } from "../terminal.ts";
import { byGroup, type Drift, driftOf, plannedWords, wordsOf } from "./findings.ts";
import { bodyOf, keepIssue } from "./issue.ts";

export interface DriftOptions {
  /** Whether the stack's issue on GitHub is brought up to date. */
  readonly issue: boolean;
}

/** @returns 1 when something drifted and no issue is kept, otherwise 0 */
export async function drift(
  root: string,
  { stack, variables, topology }: StackFile,
  { issue }: DriftOptions,
): Promise<number> {
  if (!stackExists(root, stack)) {
    throw new UserError(
      `Stack '${stack}' does not exist in this state; nothing can have drifted. make up ${variables} creates it.`,
    );
  }
  await refuseDuringUpdate(root, stack);
  // The providers are asked before the program runs, which would make them known.
  if (hasServers(topology)) knowHosts(root, stack);
  const found = look(root, stack);
  for (const line of reportOf(found, stack, variables)) say(line);
  const isClean = found.drifted.length === 0;
  if (!issue) return isClean ? 0 : 1;
  const checked = { stack, commit: commitOf(root) };
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (summary !== undefined && !isClean) appendFileSync(summary, bodyOf(found, checked));
  say(await keepIssue(gitHubOfJob(process.env), found, checked));
  return 0;
}

/** @throws {UserError} when the state is locked: what an update is doing would look like drift */
async function refuseDuringUpdate(root: string, stack: string): Promise<void> {
  const store = lockStore(root, stack);
  const [lock] = store ? await locksOf(store, stack) : [];
  if (lock === undefined) return;
  throw new UserError(
    `An update of '${stack}' is running, or was killed (on ${lock.hostname}, since ${lock.timestamp}): what it is doing would look like drift. ` +
      "Look again when it has ended; make up removes a lock that was left.",
  );
}

function look(root: string, stack: string): Drift {
  const real = enginePreview(root, stack, { refresh: true });
  // Asked only where there is a difference: it may be what no update has done yet.
  return driftOf(real, real.length === 0 ? [] : enginePreview(root, stack, { refresh: false }));
}

/** What is printed; a line each. Pure. */
export function reportOf({ drifted, followed, waiting, noise }: Drift, stack: string, variables: string): string[] {
  const lines = (changes: Drift["drifted"], words: typeof wordsOf) =>
    byGroup(changes).flatMap(([group, of]) => [bold(group), ...of.map((change) => `  ${words(change)}`)]);
  return [
    ...(waiting.length > 0
      ? [`Not deployed yet: ${waiting.length} changes; make preview ${variables} shows them. They are no drift.`]
      : []),
    ...noise.map(({ change, why }) => dim(`Known: ${change.name}: ${why}`)),
    ...lines(drifted, wordsOf),
    ...(followed.length > 0 ? [dim("Because of it, the next update would also change:")] : []),
    ...lines(followed, plannedWords),
    drifted.length === 0
      ? green(`Everything of '${stack}' is as its last update left it.`)
      : red(`'${stack}' has drifted. make up ${variables} REFRESH=1 brings back what the program says.`),
  ];
}

const commitOf = (root: string): string => runSync("git", ["rev-parse", "HEAD"], { cwd: root }).stdout.trim();
