/** `make down`: takes a stack down, and deletes its data only where the user agrees to it by name. */
import { runInteractive, runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { stateOf } from "../guard/backend.ts";
import { graphOf, type State } from "../policy/state.ts";
import { hasServersIn, types } from "../policy/stateful.ts";
import { hasServers } from "../topology/topology.ts";
import { removeVolumes, requireDocker, volumesOf } from "./docker.ts";
import { enginesIn } from "./engines.ts";
import { recover } from "./recovery/recover.ts";
import type { StackFile } from "./stack-file.ts";
import { isAtCloudProvider } from "./state.ts";
import { confirm, say } from "./terminal.ts";

/** The user's answer to the question about data; `ask` asks on a terminal, and means `keep` without one. */
export type DataChoice = "ask" | "keep" | "delete";

/**
 * Takes the stack down. The state says what there is to take down, whatever the stack's file says by now: with servers or anything
 * at Cloudflare, all that is protected is kept; otherwise the data is kept unless the user agrees or `data` is `delete`.
 *
 * @param root folder of the stack's Pulumi project
 * @returns the engine's exit code
 * @throws {UserError} when the stack is on another Docker Engine than the chosen one, when that does not answer, or when data of a stack with servers would have to be deleted
 */
export async function down(
  root: string,
  { stack, settings, topology }: Pick<StackFile, "stack" | "settings" | "topology">,
  data: DataChoice,
): Promise<number> {
  const state = stateOf(root, stack);
  if (!state) {
    say(`Stack '${stack}' does not exist here; there is nothing to take down.`);
    return 0;
  }
  // Even if it is all that is left of the stack.
  if (hasServers(topology) || (state.resources ?? []).some(isAtCloudProvider)) {
    if (data === "delete") throw new UserError(keepsData(stack, !hasServers(topology) && hasServersIn(graphOf(state))));
    // The engine lists what it deletes and asks.
    return runInteractive("pulumi", ["destroy", "--stack", stack, "--cwd", root, "--exclude-protected"]);
  }
  const { dockerHost } = settings;
  const former = hostIn(state) ?? dockerHost;
  if (former !== dockerHost) throw new UserError(isElsewhere(stack, former, dockerHost));
  requireDocker(dockerHost);
  await recover(root, stack, say);
  const destroy = (...more: string[]) =>
    runInteractive("pulumi", ["destroy", "--stack", stack, "--cwd", root, "--yes", "--skip-preview", ...more]);

  const code = await destroy("--exclude-protected", "--suppress-outputs");
  if (code !== 0) return code;
  const volumes = [...new Set([...volumesOf(stack, dockerHost), ...protectedVolumes(stateOf(root, stack))])].sort();
  const agreed =
    data === "delete" ||
    (data === "ask" &&
      volumes.length > 0 &&
      (await confirm(`\nDelete the data of '${stack}' for ever: ${volumes.join(", ")}?`)));
  if (!agreed && volumes.length > 0) {
    say(`\nThe data is kept: ${volumes.join(", ")}. make up uses it again; make down DATA=delete deletes it.`);
    return 0;
  }
  const unprotected = runSync("pulumi", ["state", "unprotect", "--all", "--yes", "--stack", stack, "--cwd", root]);
  if (unprotected.code !== 0) throw new UserError(`The data could not be released:\n${unprotected.stderr}`);
  const rest = await destroy("--suppress-outputs");
  // Volumes with retainOnDelete, which the engine keeps.
  if (rest === 0) removeVolumes(volumesOf(stack, dockerHost), dockerHost);
  return rest;
}

/** The engine would delete at the one, and what is to be kept would be looked for at the other. */
const isElsewhere = (stack: string, former: string, chosen: string): string =>
  `Stack '${stack}' is on the Docker Engine at ${former}, and ${chosen} is chosen by now; nothing was deleted. ` +
  `Choose ${former} as before (orion:dockerHost, DOCKER_HOST or the docker context), then make down STACK=${stack}. ` +
  `If that engine is gone for good, and the data with it, forget the stack: npx pulumi stack rm ${stack} --force --preserve-config`;

/** This command removes no protection of what people pay for. @param isChanged whether only the state still has servers */
const keepsData = (stack: string, isChanged: boolean): string =>
  `make down deletes no data of a stack with servers or with files at Cloudflare. To delete '${stack}' for good, ` +
  (isChanged ? `put Pulumi.${stack}.yaml back as it was with its servers, and then ` : "") +
  `remove its protection first: npx pulumi config set protection false --stack ${stack}, npx pulumi up --stack ${stack}, then make down STACK=${stack}`;

/** The Docker Engine that the engine deletes the resources of a state from; undefined when the state has none. */
const hostIn = ({ resources }: State): string | undefined => enginesIn(resources ?? [])[0]?.host;

/** The names of volumes that a state protects: whoever keeps the data keeps them, even if Docker does not list them. */
const protectedVolumes = (state: State | undefined): string[] =>
  (state?.resources ?? []).flatMap(({ type, protect, inputs: { name } }) =>
    type === types.dockerVolume && protect && typeof name === "string" ? [name] : [],
  );
