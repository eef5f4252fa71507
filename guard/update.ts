/** Runs the guard inside the program that the engine runs. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { forStack } from "../common/remedies.ts";
import { UserError } from "../common/user-error.ts";
import type { Access } from "../common/hetzner.ts";
import type { StackConfig } from "../config/load.ts";
import { changesBetween } from "../policy/changes.ts";
import { apart } from "../policy/compose.ts";
import type { Move } from "../policy/dangers.ts";
import type { Finding } from "../policy/findings.ts";
import { knownOf } from "../policy/program.ts";
import { factsOf, outputsOf } from "../policy/stack-facts.ts";
import { graphOf, outputsIn } from "../policy/state.ts";
import { refuseUnbuilt } from "../policy/unbuilt.ts";
import { budgetNotes } from "../topology/budget.ts";
import { hasServers } from "../topology/topology.ts";
import { makeVariables, rehearsalCloud } from "../toolchain/src/environment.ts";
import { runningState } from "./backend.ts";
import { existingKeys } from "./existing-keys.ts";
import { loginOf } from "./image-script.ts";
import { externalKeys, type ExternalKey, type ExternalUrls } from "./check-external.ts";
import { requireFittingExternal } from "./fitting-external.ts";
import { requireFittingImage } from "./fitting-image.ts";
import { allow, judge, type GuardArgs } from "./guard.ts";
import { allowStock, judgeStock } from "./stock.ts";

type UpdateArgs = Omit<GuardArgs, "before" | "asking"> & Pick<StackConfig, "stack" | "secret" | "hetznerAccess">;

/** The output of the stack that says which image was asked, and with which settings. */
const checkedImage = "checkedImage";

export interface Guarded {
  /** The ids of the SSH keys that Hetzner has without this stack. */
  readonly existingKeys: ReadonlyMap<string, string>;
  /** Outputs of the stack, which the next update reads. */
  readonly outputs: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Checks the update or preview that the engine is running; nothing may be registered before. Dangers are warnings of it.
 *
 * @returns what the program needs of what it found
 * @throws {pulumi.RunError} when something protected would be lost, Hetzner cannot give what it needs, or this version cannot
 *   bring the stack up yet, with what to do instead
 */
export async function guardUpdate({ stack, secret, hetznerAccess, ...args }: UpdateArgs): Promise<Guarded> {
  const root = projectFolder();
  refuseOtherState(args.settings.stateUrl, process.env["PULUMI_BACKEND_URL"]);
  try {
    refuseUnbuilt(args.settings);
    const state = runningState(root, stack);
    const before = graphOf(state);
    const cloud = rehearsalCloud(root);
    const variables = makeVariables(stack, cloud);
    const isRehearsal = cloud !== undefined;
    const password = await valueOf(secret("registryPassword"));
    const login = loginOf(args.settings, password);
    const move = await apart(() => judge({ ...args, before, asking: { login } }));
    const { agreed } = args.settings;
    const notes = [
      ...(move ? allow(move, agreed, variables) : []),
      ...budgetNotes(args.topology, args.settings).map((note) => `Note: ${note}`),
    ];
    const token = await valueOf(hetznerAccess?.token);
    const access = hetznerAccess && token !== undefined ? { ...hetznerAccess, token } : undefined;
    if (access) notes.push(...allowStock(await stockFindings({ ...args, before, move }, access), agreed));
    // Last, since it takes seconds.
    const checked = outputsIn(state)[checkedImage];
    const image = await requireFittingImage({ ...args, secret, before, checked, variables, isRehearsal, login });
    const urls = await urlsOf(externalKeys(args.settings), secret);
    const appImage = args.settings.app.image;
    notes.push(
      ...(await requireFittingExternal({
        ...args,
        urls,
        before,
        variables,
        isRehearsal,
        appImage,
        login,
      })),
    );
    for (const note of [...notes, ...image.notes]) await pulumi.log.warn(note);
    const existing = access
      ? await existingKeys(args.settings.admin.sshPublicKeys, before, access)
      : new Map<string, string>();
    const outputs = {
      ...(image.key !== undefined && { [checkedImage]: image.key }),
      ...outputsOf(factsOf(args)),
    };
    return { existingKeys: existing, outputs };
  } catch (error) {
    throw error instanceof UserError ? new pulumi.RunError(forStack(error.message, stack)) : error;
  }
}

/** What Hetzner cannot give for the update at the moment. */
async function stockFindings(
  { before, move, builtImages, ...stack }: Omit<GuardArgs, "asking"> & { readonly move: Move | undefined },
  access: Access,
): Promise<Finding[]> {
  const { settings, topology } = stack;
  if (!hasServers(topology)) return [];
  const changes = move?.changes ?? changesBetween(before, await apart(() => knownOf(stack, builtImages)));
  const { limits = {} } = settings.hetzner;
  return judgeStock({ servers: topology.servers, before, changes, limits, agreed: settings.agreed }, access);
}

/**
 * A state that was moved is still at its old place, and an update of it would know nothing of the newer one.
 *
 * @param wanted `orion:stateUrl`
 * @param used the address that the engine runs with
 * @throws {pulumi.RunError} when they are not the same
 */
export function refuseOtherState(wanted: string | undefined, used: string | undefined): void {
  if (wanted === undefined || used === undefined || used === wanted) return;
  throw new pulumi.RunError(
    `orion:stateUrl says that the stack's state is ${wanted}; this update would use ${used}. Unset PULUMI_BACKEND_URL, or make both the same. Nothing was changed.`,
  );
}

/** The folder of the Pulumi project, which older engines do not tell the program. */
function projectFolder(): string {
  const told = pulumi.getRootDirectory();
  if (existsSync(join(told, "Pulumi.yaml"))) return told;
  // Where the toolchain puts the state by itself; a rehearsal has a project apart from the program.
  const [, folder] = /^file:\/\/(\/.*)\/\.orion\/state\b/.exec(process.env["PULUMI_BACKEND_URL"] ?? "") ?? [];
  return folder ?? process.cwd();
}

/** The addresses of external services. */
async function urlsOf(keys: readonly ExternalKey[], secret: UpdateArgs["secret"]): Promise<ExternalUrls> {
  const urls = keys.map(async (key) => [key, await valueOf(secret(key))] as const);
  return Object.fromEntries((await Promise.all(urls)).flatMap(([key, url]) => (url === undefined ? [] : [[key, url]])));
}

/** The value of a secret of the configuration, which the engine has decrypted already. */
const valueOf = (secret: pulumi.Output<string> | undefined): Promise<string> | undefined =>
  secret && new Promise((resolve) => secret.apply(resolve));
