/**
 * `make promote-replica`: the streaming replica takes the place of a primary whose server is lost. It may be run again after
 * it was interrupted, wherever that was. Nothing at Hetzner is deleted.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { UserError } from "../../common/user-error.ts";
import { graphOf, stateSchema } from "../../policy/state.ts";
import { physicalName } from "../../topology/naming.ts";
import { hetznerOf } from "../cloud-apis.ts";
import { makeUsable } from "../recovery/recover.ts";
import { setConfig } from "../stack-config.ts";
import {
  describeStack,
  parseStackText,
  readStackFile,
  readStackText,
  type StackFile,
  withoutReplicas,
} from "../stack-file.ts";
import { readState, type Resource, type State } from "../state.ts";
import { bold, confirm, dim, isTerminal, say } from "../terminal.ts";
import { up } from "../up.ts";
import { fence } from "./fence.ts";
import { type LeftBehind, withoutServer } from "./forget-server.ts";
import { type Promotion, promotionOf } from "./promotion.ts";
import { engineOf, type Found, isServing, ReplicaServer } from "./replica-server.ts";

/**
 * Promotes the replica and updates the stack.
 *
 * @param root folder of the stack's Pulumi project
 * @param project folder of the program
 * @param yes agreed to what may be lost, unseen
 * @returns the engine's exit code; 1 when nobody agreed
 * @throws {UserError} when the primary answers, there is no replica that could take over, or it is not known whether the
 *   primary's server is off
 */
export async function promoteReplica(root: string, project: string, file: StackFile, yes: boolean): Promise<number> {
  makeUsable(root, file.stack, say);
  const state = readState(root, file.stack);
  if (!state) throw new UserError(`Stack '${file.stack}' does not exist here; there is nothing to promote.`);
  const promotion = promotionOf(file, graphOf(stateSchema.parse(state.deployment)));
  const replica = new ReplicaServer(file, promotion, state.deployment.resources);

  if (!promotion.forgotten || replica.look().inRecovery) {
    refuseWhileItAnswers(file, promotion, replica, state.deployment.resources);
    say(whatHappens(promotion, replica.look()));
    if (!yes && !(await confirm(`Promote ${promotion.server}?`))) {
      say(isTerminal ? "Nothing was done." : "Nothing was done: without a terminal, say YES=1 to agree.");
      return 1;
    }
  }
  if (promotion.forgotten)
    say(`${promotion.server} was put in the place of ${promotion.lost}; this goes on from there.`);
  await fenceLost(root, file, promotion);
  await replica.promote();
  note(`PostgreSQL on ${promotion.server} takes writes.`);
  // First the file: an update in between is refused by the guard, and this goes on where it was.
  if (file.settings.database.primary !== promotion.server) {
    setConfig(root, file.stack, "orion:database.primary", promotion.server);
  }
  const left = promotion.forgotten ? [] : forget(state, promotion);
  return update(root, project, file, left);
}

const note = (line: string): void => {
  say(`  ${line}`);
};

/** @throws {UserError} when PostgreSQL on the server with the primary answers, by SSH or from the replica's side */
function refuseWhileItAnswers(
  { stack, variables }: StackFile,
  { lost, lostService, server }: Promotion,
  replica: ReplicaServer,
  resources: readonly Resource[],
): void {
  const container = physicalName({ stack }, lostService);
  const words = ["timeout", "15", "docker", "exec", container, "pg_isready", "-h", "127.0.0.1"];
  const seen = engineOf(resources, lost)
    ?.impatient()
    .captureOnHost(...words);
  const witness =
    seen && isServing(seen.stdout + seen.stderr) ? "over SSH" : replica.reachesPrimary() ? `from ${server}` : undefined;
  if (witness === undefined) return;
  throw new UserError(
    `The primary on ${lost} answers ${witness}. Expected: that it is lost. Two primaries would each take what the other does not have; ` +
      `nothing was changed.\nmake doctor ${variables} says what is wrong with the platform; make up ${variables} goes on with an update that was ` +
      `interrupted. If ${lost} has to be given up although it runs, ` +
      `stop what writes to it, switch it off at Hetzner, and run this again.`,
  );
}

/** What a person agrees to. */
function whatHappens({ lost, server }: Promotion, found: Found): string {
  const { inRecovery, lastTransaction, age, received, replayed } = found;
  const last = lastTransaction === "" ? "not known" : `committed ${lastTransaction} UTC, ${age} s ago`;
  return [
    bold(
      `PostgreSQL on ${lost} does not answer. ${server} is ${inRecovery ? "its replica" : "a primary already, promoted before"}:`,
    ),
    `  last transaction that it has  ${last}`,
    ...(inRecovery ? [`  received up to ${received}, applied up to ${replayed}; the rest of that comes first`] : []),
    `What ${lost} acknowledged after that is lost: the replica follows a moment behind. So is what Redis had there: sessions, cached`,
    "values, and tasks that waited.",
    `${lost} is switched off at Hetzner and stays there, with its Volume. ${server} becomes the primary, and gets cache and broker.`,
  ].join("\n");
}

async function fenceLost(root: string, { stack }: StackFile, { lost }: Promotion): Promise<void> {
  const name = physicalName({ stack }, lost);
  await fence(name, stack, hetznerOf(root, stack), note);
}

/** Takes the lost server out of the state: an update would ask its Docker Engine, and get no answer. */
function forget(state: State, { lost }: Promotion): readonly LeftBehind[] {
  const { deployment, left } = withoutServer(state.deployment, lost);
  state.write(deployment);
  note(`The stack no longer has ${lost}; everything of it is still at Hetzner.`);
  return left;
}

/** First what visitors wait for, then a new replica: it needs a server and a copy of all data, or there is none to be had. */
async function update(
  root: string,
  project: string,
  { stack, variables }: StackFile,
  left: readonly LeftBehind[],
): Promise<number> {
  const file = readStackFile(root, stack);
  const { primary } = file.settings.database;
  const code = (await withoutNewReplica(root, project, file)) ?? 0;
  if (code !== 0) {
    say(
      `\n${primary} is the primary, but the update did not come to its end. Run it again: make promote-replica ${variables}`,
    );
    return code;
  }
  say(`\n${bold(`The platform runs with the primary on ${primary}.`)}`);
  const rest = file.settings.database.availability !== "single" ? await up(root, project, file, true) : 0;
  if (rest !== 0) say(`\nThe platform runs, but has no replica yet. When the cause is removed: make up ${variables}`);
  for (const line of whatIsLeft(left)) say(line);
  return rest;
}

/** The update without the replica that there is to be. @returns undefined when that is there already, or on its way */
async function withoutNewReplica(root: string, project: string, file: StackFile): Promise<number | undefined> {
  const { stack } = file;
  const resources = readState(root, stack)?.deployment.resources ?? [];
  const isOnItsWay = file.topology.servers.some(
    ({ name, role }) => role === "db" && resources.some(({ urn }) => urn.endsWith(`::${name}-server`)),
  );
  if (isOnItsWay) return undefined;
  const contents = withoutReplicas(parseStackText(stack, readStackText(root, stack)));
  const folder = mkdtempSync(join(tmpdir(), "orion-promotion-"));
  try {
    const path = join(folder, `Pulumi.${stack}.yaml`);
    writeFileSync(path, stringify(contents), { mode: 0o600 });
    return await up(root, project, { ...describeStack(stack, contents), variables: file.variables }, true, path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How what is left of the lost server is looked at, and removed by hand. */
function whatIsLeft(left: readonly LeftBehind[]): string[] {
  if (left.length === 0) return [];
  const levels: Readonly<Record<string, string>> = { server: "delete rebuild" };
  return [
    `\n${bold("Still at Hetzner, switched off and protected:")}`,
    ...left.map(({ kind, name, id }) => `  ${kind} ${name} (${id})`),
    dim("Once nobody wants to look into it any more (docs/promotion.md), with Hetzner's own command line:"),
    ...left.flatMap(({ kind, id }) => [
      `  hcloud ${kind} disable-protection ${id} ${levels[kind] ?? "delete"} && hcloud ${kind} delete ${id}`,
    ]),
  ];
}
