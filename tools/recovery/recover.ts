/**
 * Cleans up after a killed or failed update, before the next one: a stale lock, plugins without an engine, and resources that
 * were created but not recorded. Containers and networks are removed and created again; objects at Hetzner and Cloudflare are
 * taken into the state. Nothing with data is deleted.
 */
import { runSync } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import { apisOf } from "../cloud-apis.ts";
import { type Deployment, isAtCloudProvider, readState, type Resource, type State } from "../state.ts";
import { type Apis, findObject, isInCloud, spares } from "./cloud-objects.ts";
import { endLeftPlugins } from "./left-plugins.ts";
import { removeOrphans } from "./orphans.ts";
import { lastUpdateFailed, plannedCreates } from "./planned.ts";
import { removeCutOffAttributes } from "./state-attributes.ts";
import { removeStaleLock } from "./state-lock.ts";

type Say = (line: string) => void;

/**
 * Cleans up before an update of the stack.
 *
 * @param root folder of the Pulumi project
 * @param say called with each finding, one line
 * @throws {UserError} when another update of the stack is running, or an API does not answer
 */
export async function recover(root: string, stack: string, say: Say): Promise<void> {
  await makeUsable(root, stack, say);
  const state = readState(root, stack);
  if (state === undefined) return;
  await clearInterrupted(root, stack, state, say);
  // Without a provider of the cloud nothing can have been created there.
  const hasCloud = state.deployment.resources.some(({ type }) => type === "pulumi:providers:hcloud");
  if (hasCloud && lastUpdateFailed(root, stack)) await takeOverUnnoted(root, stack, say);
}

/**
 * Makes the state usable for the engine again after a killed update. Pending operations stay recorded.
 *
 * @throws {UserError} when another update of the stack is running
 */
export async function makeUsable(root: string, stack: string, say: Say): Promise<void> {
  await removeStaleLock(root, stack, say);
  removeCutOffAttributes(root, stack);
  endLeftPlugins(root);
}

/** Clears the pending operations of a killed update, and the half-created resources of a failed one. */
async function clearInterrupted(root: string, stack: string, { deployment, write }: State, say: Say): Promise<void> {
  const halfMade = deployment.resources.filter(isHalfMade);
  if (deployment.pending_operations.length === 0 && halfMade.length === 0) return;

  say(`The last update of '${stack}' was interrupted; its unfinished operations are cleared:`);
  for (const one of halfMade) say(`  ${whatOf(one)}: was created only partly; it is refreshed`);
  const left = await removeOrphans(deployment, stack, say);
  const creating = deployment.pending_operations.filter(({ type }) => type === "creating");
  const wanted = creating.map(({ resource }) => resource).filter(({ type }) => isInCloud(type));
  for (const { resource } of creating) reportSpare(resource, say);
  const found = wanted.length === 0 ? [] : await findMade(wanted, deployment, apisOf(root, stack), say);
  if (found.length + halfMade.length === 0) write({ ...deployment, pending_operations: left });
  else {
    // Their operations stay recorded until they are complete: after another interruption the next run starts here.
    write(withResources(deployment, found));
    completeState(root, stack, [...found, ...halfMade]);
    const complete = readState(root, stack);
    complete?.write({ ...complete.deployment, pending_operations: left });
  }
}

/** Takes over what a failed update created without learning of it, because the API failed after the creation. */
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

/** The wanted cloud resources that exist but are not recorded, in the form for the state. */
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
    // Recorded with another id: the interrupted creation was that of its replacement, which does not exist.
    if (id === undefined || resources.some((one) => one.urn === resource.urn && one.id !== id)) continue;
    // The state after its creation, without outputs that only the provider knows.
    found.push({ ...resource, id, outputs: { ...inputs, id } });
    say(`  ${whatOf(resource)}: was created but not recorded; it is taken over (${id})`);
  }
  return found;
}

/**
 * Whether a resource at Hetzner or Cloudflare is in the state with an error of its creation. The engine would update it without
 * a change, which some types do not support; a refresh shows what is missing. Containers are created again instead.
 */
export const isHalfMade = ({ type, initErrors = [] }: Pick<Resource, "type" | "initErrors">): boolean =>
  initErrors.length > 0 && isAtCloudProvider({ type });

function reportSpare(resource: Resource, say: Say): void {
  const where = spares[resource.type];
  if (where === undefined) return;
  say(`  ${whatOf(resource)}: is created again; if it exists twice (${where}), the older one can be deleted`);
}

/** Its type, and its name in the cloud, if it has one. */
function whatOf({ urn, type, inputs }: Resource): string {
  const name = typeof inputs["name"] === "string" ? inputs["name"] : (urn.split("::").at(-1) ?? urn);
  return `${type.split(":").at(-1) ?? type} ${name}`;
}

/** Refreshes resources, so that the providers fill in outputs such as addresses and devices. */
function completeState(root: string, stack: string, resources: readonly Resource[]): void {
  const targets = resources.flatMap(({ urn }) => ["--target", urn]);
  const place = ["--stack", stack, "--cwd", root];
  const { code, stdout, stderr } = runSync("pulumi", ["refresh", "--yes", "--skip-preview", ...targets, ...place]);
  if (code === 0) return;
  throw new UserError(
    `The resources that were taken over could not be refreshed. Run it again; if it fails again: npx pulumi refresh ${place.join(" ")}\n${stdout}${stderr}`,
  );
}
