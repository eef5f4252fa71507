/**
 * Records beside the state which GitHub Actions run updates a stack, and asks GitHub whether that run is over. A runner of GitHub is
 * gone with its job, so its lock's process cannot be asked.
 */
import { hostname } from "node:os";
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import { gitHubOfJob } from "../github.ts";
import { foldersOf, type StateStore } from "../state-store.ts";

const ownerSchema = z.object({
  version: z.literal(1),
  hostname: z.string(),
  repository: z.string(),
  run: z.number(),
  attempt: z.number(),
  since: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

/** Notes this run before its update; does nothing outside of GitHub Actions. */
export async function noteOwner(
  store: StateStore,
  stack: string,
  env: NodeJS.ProcessEnv = process.env,
  host = hostname(),
): Promise<void> {
  const { GITHUB_ACTIONS: isCi, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run, GITHUB_RUN_ATTEMPT: attempt } = env;
  if (isCi !== "true" || repository === undefined || run === undefined) return;
  const owner: Owner = {
    ...{ version: 1, hostname: host, repository, run: Number(run), attempt: Number(attempt ?? 1) },
    since: new Date().toISOString(),
  };
  await store.write(foldersOf(stack).owner, Buffer.from(JSON.stringify(owner)));
}

export interface HeldLock {
  readonly hostname: string;
  readonly timestamp: string;
}

/** What is known of the run that holds a lock. */
export interface Holder {
  /** The run is over, and the lock is from its time: nothing can hold it any more. */
  readonly isGone: boolean;
  /** Address of the run, for people. */
  readonly url: string;
}

/** @returns undefined when no run has noted that it updates, or the lock is not that run's */
export async function holderOf(
  store: StateStore,
  stack: string,
  lock: HeldLock,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Holder | undefined> {
  const text = await store.read(foldersOf(stack).owner);
  const owner = ownerSchema.safeParse(text === undefined ? undefined : JSON.parse(text.toString("utf8"))).data;
  const taken = new Date(lock.timestamp);
  if (!owner || owner.hostname !== lock.hostname || taken < new Date(owner.since)) return undefined;
  const server = env["GITHUB_SERVER_URL"] ?? "https://github.com";
  const url = `${server}/${owner.repository}/actions/runs/${owner.run}/attempts/${owner.attempt}`;
  if (env["GITHUB_REPOSITORY"] !== owner.repository) return { isGone: false, url };
  try {
    const { isOver, changed } = await gitHubOfJob(env).runAttempt(owner.run, owner.attempt);
    return { isGone: isOver && taken <= changed, url };
  } catch (error) {
    // Without an answer it is not known, so the lock stays.
    if (error instanceof UserError) return { isGone: false, url };
    throw error;
  }
}
