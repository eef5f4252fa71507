/**
 * What an update that was killed leaves behind, and how the next one gets past it: a lock of a process that is no more,
 * plugins that go on without their engine, and things that were made but never noted in the state. Containers and networks
 * are removed and made again; what is at Hetzner and Cloudflare is taken into the state. Nothing that holds data is deleted.
 */
import { runSync } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import { apisOf } from "../cloud-apis.ts";
import { type Deployment, readState, type Resource, type State } from "../state.ts";
import { type Apis, findObject, isInCloud, spares } from "./cloud-objects.ts";
import { endLeftPlugins } from "./left-plugins.ts";
import { removeOrphans } from "./orphans.ts";
import { lastUpdateFailed, plannedCreates } from "./planned.ts";
import { removeCutOffAttributes } from "./state-attributes.ts";
import { removeStaleLock } from "./state-lock.ts";

type Say = (line: string) => void;

/**
 * Clears the way for an update of the stack.
 *
 * @param root folder of the Pulumi project
 * @param say told what was found and done, a line each
 * @throws {UserError} when another update of the stack is at work, or what the last one made cannot be found out
 */
export async function recover(root: string, stack: string, say: Say): Promise<void> {
  makeUsable(root, stack, say);
  const state = readState(root, stack);
  if (state === undefined) return;
  await clearInterrupted(root, stack, state, say);
  // Without a provider of the cloud nothing can have been made there.
  const hasCloud = state.deployment.resources.some(({ type }) => type === "pulumi:providers:hcloud");
  if (hasCloud && lastUpdateFailed(root, stack)) await takeOverUnnoted(root, stack, say);
}

/**
 * Has the engine read and change the state again, whatever killed the one before; what it had under way stays noted there.
 *
 * @throws {UserError} when another update of the stack is at work
 */
export function makeUsable(root: string, stack: string, say: Say): void {
  removeStaleLock(root, stack, say);
  removeCutOffAttributes(root, stack);
  endLeftPlugins(root);
}

/** What an update that was killed had under way, and what one that failed made, but not to the end. */
async function clearInterrupted(root: string, stack: string, { deployment, write }: State, say: Say): Promise<void> {
  const halfMade = deployment.resources.filter(isHalfMade);
  if (deployment.pending_operations.length === 0 && halfMade.length === 0) return;

  say(`The last update of '${stack}' did not come to its end; what it had under way is cleared:`);
  for (const one of halfMade) say(`  ${whatOf(one)}: was made, but not to the end; it is looked at anew`);
  const left = await removeOrphans(deployment, stack, say);
  const creating = deployment.pending_operations.filter(({ type }) => type === "creating");
  const wanted = creating.map(({ resource }) => resource).filter(({ type }) => isInCloud(type));
  for (const { resource } of creating) sayIfSpare(resource, say);
  const found = wanted.length === 0 ? [] : await findMade(wanted, deployment, apisOf(root, stack), say);
  if (found.length + halfMade.length === 0) write({ ...deployment, pending_operations: left });
  else {
    // Their operations stay until they are complete: if this is interrupted, too, the next time begins here.
    write(withResources(deployment, found));
    completeState(root, stack, [...found, ...halfMade]);
    const complete = readState(root, stack);
    complete?.write({ ...complete.deployment, pending_operations: left });
  }
}

/** What an update made and never knew of, since the API failed between the creation and the next call. */
async function takeOverUnnoted(root: string, stack: string, say: Say): Promise<void> {
  const state = readState(root, stack);
  const wanted = plannedCreates(root, stack).filter(({ type }) => isInCloud(type));
  if (state === undefined || wanted.length === 0) return;
  const found = await findMade(wanted, state.deployment, apisOf(root, stack), say);
  if (found.length === 0) return;
  state.write(withResources(state.deployment, found));
  completeState(root, stack, found);
}

function withResources(deployment: Deployment, more: readonly Resource[]): Deployment {
  const urns = new Set(more.map(({ urn }) => urn));
  return { ...deployment, resources: [...deployment.resources.filter(({ urn }) => !urns.has(urn)), ...more] };
}

/** Of the things that were to be made in the clouds, those that are there and not noted, as the state is to have them. */
async function findMade(
  wanted: readonly Resource[],
  { resources }: Deployment,
  apis: Apis,
  say: Say,
): Promise<Resource[]> {
  const found: Resource[] = [];
  for (const resource of wanted) {
    const { type, inputs } = resource;
    const id = await findObject(type, inputs, apis);
    // Known under another id: the creation was that of its successor, which did not come to be.
    if (id === undefined || resources.some((one) => one.urn === resource.urn && one.id !== id)) continue;
    // What its creation would have left in the state, but for what only the provider can say.
    found.push({ ...resource, id, outputs: { ...inputs, id } });
    say(`  ${whatOf(resource)}: was made but not noted; it is taken over (${id})`);
  }
  return found;
}

/**
 * Whether something at Hetzner or Cloudflare is in the state with an error of its creation. The engine would do an empty
 * update to it, which some kinds do not know; a look at it shows what is really missing. Containers are made anew instead.
 */
export const isHalfMade = ({ type, initErrors = [] }: Pick<Resource, "type" | "initErrors">): boolean =>
  initErrors.length > 0 && /^(hcloud|cloudflare):/.test(type);

function sayIfSpare(resource: Resource, say: Say): void {
  const where = spares[resource.type];
  if (where === undefined) return;
  say(`  ${whatOf(resource)}: is made again; if it is there twice (${where}), the older one is spare`);
}

/** Its kind, and what it is called in the cloud, where it has a name there. */
function whatOf({ urn, type, inputs }: Resource): string {
  const name = typeof inputs["name"] === "string" ? inputs["name"] : (urn.split("::").at(-1) ?? urn);
  return `${type.split(":").at(-1) ?? type} ${name}`;
}

/** Has the providers look at what is there: addresses, devices and the like. */
function completeState(root: string, stack: string, resources: readonly Resource[]): void {
  const targets = resources.flatMap(({ urn }) => ["--target", urn]);
  const place = ["--stack", stack, "--cwd", root];
  const { code, stdout, stderr } = runSync("pulumi", ["refresh", "--yes", "--skip-preview", ...targets, ...place]);
  if (code === 0) return;
  throw new UserError(
    `What was made could not be looked at. Run it again; if it stays so: npx pulumi refresh ${place.join(" ")}\n${stdout}${stderr}`,
  );
}
