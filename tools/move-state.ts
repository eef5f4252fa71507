/** `make state-move`: copies a stack's state, its history and its copies to another place, checks it, and keeps the old one. */
import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { settingsSchema } from "../config/schema.ts";
import { backendIn, stateUrlOf } from "../guard/backend.ts";
import { defaultStateFolder, rehearsalCloud } from "../toolchain/src/environment.ts";
import { removeStaleLock } from "./recovery/state-lock.ts";
import { removeConfig, setConfig } from "./stack-config.ts";
import { foldersOf, type StateStore, storeAt } from "./state-store.ts";

/** The word for the default place: files in the project's folder. */
export const files = "files";

/**
 * Moves the state of a stack and lets the stack's file name the new place.
 *
 * @param to `s3://BUCKET?...`, `file:///FOLDER`, or {@link files}
 * @throws {UserError} when there is no state to move, another update runs, the new place has one already, or a copy is not the same
 */
export async function moveState(
  root: string,
  stack: string,
  to: string | undefined,
  say: (line: string) => void,
): Promise<void> {
  const target = targetOf(root, to);
  const source = stateUrlOf(root, stack);
  const [from, into] = [storeOf(source), storeOf(target)];
  if (placeOf(source) === placeOf(target)) throw new UserError(`The state of '${stack}' is at ${target} already.`);
  await removeStaleLock(root, stack, say);
  openByEngine(root, target);
  const old = await stateFilesIn(from, stack);
  if (old.length === 0) throw new UserError(`There is no state of '${stack}' at ${source}.`);
  const there = await stateFilesIn(into, stack);
  if (there.length > 0) {
    throw new UserError(
      `There is a state of '${stack}' at ${target} already (${there.join(", ")}); it is not overwritten. Remove it first if nothing needs it.`,
    );
  }
  const unlock = await lock(from, stack);
  try {
    const names = await copyAll(from, into, stack, old);
    requireSame(root, stack, source, target);
    if (to === files) removeConfig(root, stack, "orion:stateUrl");
    else setConfig(root, stack, "orion:stateUrl", target);
    await putAway(from, stack, old);
    say(
      `${names.length} files of '${stack}' are at ${target}: its state, its history and its copies, byte by byte the same.`,
    );
  } finally {
    await unlock();
  }
  say(
    `Pulumi.${stack}.yaml ${to === files ? "has no orion:stateUrl any more" : "names the new place (orion:stateUrl)"}: commit it. The old state is kept at ${source}, in ${foldersOf(stack).moved}, where no update uses it.`,
  );
  if (process.env["PULUMI_BACKEND_URL"])
    say("Unset PULUMI_BACKEND_URL: it still names the old place, and updates are refused with it.");
}

function targetOf(root: string, to: string | undefined): string {
  if (rehearsalCloud(root) !== undefined)
    throw new UserError("The state of a rehearsal stays in the folder of its cloud, with which it is deleted.");
  if (to === files && backendIn(root) !== undefined)
    throw new UserError(`Pulumi.yaml names a backend for all stacks; TO=${files} means the place where none is named.`);
  if (to === files) return `file://${defaultStateFolder(root)}?metadata=skip`;
  const { success, error } = settingsSchema.shape.stateUrl.unwrap().safeParse(to);
  if (success && to !== undefined) return to;
  throw new UserError(`TO: got '${to ?? ""}', allowed: ${error?.issues[0]?.message ?? "an address"}, or ${files}`);
}

function storeOf(url: string): StateStore {
  const store = storeAt(url);
  if (store) return store;
  throw new UserError(
    `The state is at ${url}; make state-move knows files and S3 buckets only. For others: npx pulumi stack export and stack import.`,
  );
}

/** An address without the parameters that say how it is reached. */
const placeOf = (url: string): string => url.replace(/\?.*/, "").replace(/\/$/, "");

/** Has the engine open the new place: that makes its marks there, and shows whether it can. */
function openByEngine(root: string, url: string): void {
  const { code, stderr } = runSync("pulumi", ["stack", "ls", "--json", "--cwd", root], {
    environment: { PULUMI_BACKEND_URL: url },
  });
  if (code !== 0) throw new UserError(`The engine cannot use ${url}:\n${stderr.trim()}`);
}

/** The state, its copy and its tags; not those of other stacks. */
async function stateFilesIn(store: StateStore, stack: string): Promise<string[]> {
  const { stacks } = foldersOf(stack);
  return (await store.list(stacks)).filter((name) => name.startsWith(`${stacks}${stack}.`));
}

/** The engine's own kind of lock, so that nobody updates meanwhile. @returns what removes it */
async function lock(store: StateStore, stack: string): Promise<() => Promise<void>> {
  const name = `${foldersOf(stack).locks}${randomUUID()}.json`;
  const owner = { pid: process.pid, username: userInfo().username, hostname: hostname() };
  await store.write(name, Buffer.from(JSON.stringify({ ...owner, timestamp: new Date().toISOString() })));
  return () => store.remove(name);
}

/** Copies the files, the state last: what was interrupted before is done again. */
async function copyAll(from: StateStore, into: StateStore, stack: string, state: readonly string[]): Promise<string[]> {
  const { history, backups } = foldersOf(stack);
  const names = [...(await from.list(history)), ...(await from.list(backups)), ...state];
  for (const name of names) {
    const contents = await from.read(name);
    if (contents === undefined) throw new UserError(`${name} is gone while the state is copied; run it again.`);
    await into.write(name, contents);
    const written = await into.read(name);
    if (written?.equals(contents) !== true) throw new UserError(`The copy of ${name} is not the same.`);
  }
  return names;
}

/** Whether the engine reads the same from both. @throws {UserError} */
function requireSame(root: string, stack: string, source: string, target: string): void {
  const [before, after] = [source, target].map((url) => {
    const { code, stdout, stderr } = runSync("pulumi", ["stack", "export", "--stack", stack, "--cwd", root], {
      environment: { PULUMI_BACKEND_URL: url },
    });
    if (code !== 0) throw new UserError(`The engine cannot read the state at ${url}:\n${stderr.trim()}`);
    return JSON.parse(stdout) as unknown;
  });
  if (!isDeepStrictEqual(before, after))
    throw new UserError(`The engine reads another state at ${target} than at ${source}.`);
}

/** Keeps the old state where the engine does not look. */
async function putAway(store: StateStore, stack: string, names: readonly string[]): Promise<void> {
  const folder = `${foldersOf(stack).moved}${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}/`;
  for (const name of names) {
    const contents = await store.read(name);
    if (contents !== undefined) await store.write(`${folder}${name.split("/").at(-1) ?? name}`, contents);
    await store.remove(name);
  }
}
