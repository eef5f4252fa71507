/**
 * `make promote-replica`: promotes the streaming replica of a primary whose server is lost, and updates the stack. It can be
 * run again after any interruption. Nothing at Hetzner is deleted.
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
 * @param yes whether the user has agreed in advance to what may be lost
 * @returns the engine's exit code; 1 when the user did not agree
 * @throws {UserError} when the primary answers, there is no replica that could take over, or it is not known whether the
 *   primary's server is off
 */
export async function promoteReplica(root: string, file: StackFile, yes: boolean): Promise<number> {
  await makeUsable(root, file.stack, say);
  const state = readState(root, file.stack);
  if (!state) throw new UserError(`Stack '${file.stack}' does not exist here; there is nothing to promote.`);
  const promotion = promotionOf(file, graphOf(stateSchema.parse(state.deployment)));
  const replica = new ReplicaServer(file, promotion, engineOf(state.deployment.resources, promotion.server));

  if (!promotion.forgotten || replica.look().inRecovery) {
    refuseWhileItAnswers(file, promotion, replica, state.deployment.resources);
    say(whatHappens(promotion, replica.look()));
    if (!yes && !(await confirm(`Promote ${promotion.server}?`))) {
      say(isTerminal ? "Nothing was done." : "Nothing was done: without a terminal, agree with YES=1.");
      return 1;
    }
  }
  if (promotion.forgotten)
    say(`${promotion.server} already replaces ${promotion.lost} in the stack; continuing from there.`);
  await fenceLost(root, file, promotion);
  await replica.promote();
  note(`PostgreSQL on ${promotion.server} accepts writes.`);
  // The file first: after an interruption the guard refuses updates, and this command continues here.
  if (file.settings.database.primary !== promotion.server) {
    setConfig(root, file.stack, "orion:database.primary", promotion.server);
  }
  const left = promotion.forgotten ? [] : forget(state, promotion);
  return update(root, file, left);
}

const note = (line: string): void => {
  say(`  ${line}`);
};

/** @throws {UserError} when the primary answers, over SSH or from the replica's server */
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
    `The primary on ${lost} answers ${witness}. Expected: that it is lost. Two primaries would each accept writes that the other lacks; ` +
      `nothing was changed.\nmake doctor ${variables} explains what is wrong with the platform; make up ${variables} continues an ` +
      `interrupted update. To replace ${lost} although it runs, ` +
      `stop its clients, power it off at Hetzner, and run this again.`,
  );
}

/** What the user has to agree to. */
function whatHappens({ lost, server }: Promotion, found: Found): string {
  const { inRecovery, lastTransaction, age, received, replayed } = found;
  const last = lastTransaction === "" ? "not known" : `committed ${lastTransaction} UTC, ${age} s ago`;
  return [
    bold(
      `PostgreSQL on ${lost} does not answer. ${server} is ${inRecovery ? "its replica" : "a primary already, promoted before"}:`,
    ),
    `  last transaction that it has  ${last}`,
    ...(inRecovery ? [`  received up to ${received}, applied up to ${replayed}; the rest is applied first`] : []),
    `What ${lost} acknowledged after that is lost, because replication is asynchronous. So are Redis' contents there: sessions, cached`,
    "values, and waiting tasks.",
    `${lost} is powered off at Hetzner and kept there, with its Volume. ${server} becomes the primary, and gets cache and broker.`,
  ].join("\n");
}

async function fenceLost(root: string, { stack }: StackFile, { lost }: Promotion): Promise<void> {
  const name = physicalName({ stack }, lost);
  await fence(name, stack, hetznerOf(root, stack), note);
}

/** Removes the lost server from the state: an update would call its Docker Engine and fail. */
function forget(state: State, { lost }: Promotion): readonly LeftBehind[] {
  const { deployment, left } = withoutServer(state.deployment, lost);
  state.write(deployment);
  note(`${lost} is no longer part of the stack; its server, Volume and address are still at Hetzner.`);
  return left;
}

/** Updates the platform first, for visitors; then adds a new replica, which takes long and may fail without a free server. */
async function update(root: string, { stack, variables }: StackFile, left: readonly LeftBehind[]): Promise<number> {
  const file = readStackFile(root, stack);
  const { primary } = file.settings.database;
  const code = (await withoutNewReplica(root, file)) ?? 0;
  if (code !== 0) {
    // Only this run knows them: the state has forgotten them.
    for (const line of whatIsLeft(left)) say(line);
    say(`\n${primary} is the primary, but the update failed. Run it again: make promote-replica ${variables}`);
    return code;
  }
  say(`\n${bold(`The platform runs with the primary on ${primary}.`)}`);
  const rest = file.settings.database.availability !== "single" ? await up(root, file, { yes: true }) : 0;
  if (rest !== 0) say(`\nThe platform runs, but has no replica yet. Correct the cause, then: make up ${variables}`);
  for (const line of whatIsLeft(left)) say(line);
  return rest;
}

/** Updates the stack without its new replica. @returns undefined when an earlier run has begun to create that */
async function withoutNewReplica(root: string, file: StackFile): Promise<number | undefined> {
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
    return await up(
      root,
      { ...describeStack(stack, contents), variables: file.variables },
      { yes: true, configFile: path },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Lists the lost server's resources at Hetzner, with the commands that delete them. */
function whatIsLeft(left: readonly LeftBehind[]): string[] {
  if (left.length === 0) return [];
  const levels: Readonly<Record<string, string>> = { server: "delete rebuild" };
  return [
    `\n${bold("Still at Hetzner, powered off and protected:")}`,
    ...left.map(({ kind, name, id }) => `  ${kind} ${name} (${id})`),
    dim("To delete them when their data is not needed any more (docs/promotion.md), with Hetzner's command line:"),
    ...left.flatMap(({ kind, id }) => [
      `  hcloud ${kind} disable-protection ${id} ${levels[kind] ?? "delete"} && hcloud ${kind} delete ${id}`,
    ]),
  ];
}
