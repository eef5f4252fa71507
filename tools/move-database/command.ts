/**
 * `make move-database`: moves the data of a running platform from its own PostgreSQL to an external one or back, and then its
 * clients. Nothing is deleted: the database that was left is the way back.
 */
import { quoted } from "../../common/shell.ts";
import { UserError } from "../../common/user-error.ts";
import { databaseName } from "../../components/database/database-url.ts";
import { ownerRole } from "../../components/database/role-names.ts";
import { type Logins, poolerConfig } from "../../components/pooler/pooler-config.ts";
import { addressIn, askExternal } from "../../guard/check-external.ts";
import { judgeExternal, refuseExternal } from "../../guard/fitting-external.ts";
import { agreementTo } from "../../policy/moved-database.ts";
import { servicesOf } from "../../topology/topology.ts";
import type { Engines } from "../engines.ts";
import { clientName, externalDatabaseOf, removeClient, scriptsOn, startClient } from "../external-client.ts";
import { setConfig } from "../stack-config.ts";
import { inDatabaseMode, readStackFile, type StackFile } from "../stack-file.ts";
import { bold, confirm, isTerminal, say } from "../terminal.ts";
import { up } from "../up.ts";
import { moveDatabase, type MoveArgs } from "./move.ts";
import { type Poolers, poolersOf } from "./poolers.ts";
import { type DatabaseEndpoint, sql } from "./database-endpoint.ts";
import { dropMarker, writable } from "./sql.ts";

export interface MoveChoice {
  /** `own` or `external`. */
  readonly to: string | undefined;
  /** Whether the user has agreed in advance. */
  readonly yes: boolean;
  /** Whether what an earlier move has left in the target may be replaced. */
  readonly replace: boolean;
}

/**
 * @param root folder of the stack's Pulumi project
 * @returns the code of the update that moves the clients; 1 when the user did not agree
 * @throws {UserError} when something does not fit; the source takes writes then
 */
export async function moveTo(root: string, file: StackFile, engines: Engines, choice: MoveChoice): Promise<number> {
  const { stack, settings, variables } = file;
  const to = requireDirection(file, choice.to);
  // What is refused there is refused before data has moved: afterwards no client could be given the new address.
  readStackFile(root, stack, inDatabaseMode(modeOf(to)));
  const { url, text, login } = externalDatabaseOf(root, file);
  const [service] = servicesOf(file.topology, "database");
  if (!service) throw new UserError(`The plan of '${stack}' has no database of its own.`);
  const container = engines.container(service);
  const on = scriptsOn(file, engines, service);
  const asked = await askExternal(
    { ...settings, cache: { ...settings.cache, mode: "provision" } },
    { databaseUrl: text },
    { on, isHere: true, login, appImage: settings.app.image },
  );
  // What an earlier move has left refuses writes until this one; whether more is behind it is found when both sides are asked.
  const allowed = [...settings.agreed, "database.writes"];
  refuseExternal(judgeExternal(asked, { ...settings, agreed: allowed }), { ...settings, variables });
  const places = { own: "its own PostgreSQL", external: url.host };
  const left = to === "external" ? "own" : "external";
  say(bold(`The data of '${stack}' goes from ${places[left]} to ${places[to]}.`));
  say("  Clients work meanwhile. Run no migration until it is done. Redis and files stay where they are.");

  const poolers = poolersIn(file, engines, { to, url: text });
  const client = clientName(stack, "move");
  const image = `image=$(docker container inspect --format '{{.Config.Image}}' ${quoted(container)})`;
  await startClient(on, { name: client, url, image, appImage: settings.app.image });
  try {
    const own: DatabaseEndpoint = { name: "own", container, database: databaseName, owner: ownerRole };
    const external: DatabaseEndpoint = { name: "external", container: client, database: addressIn(url) };
    const [source, target] = to === "external" ? [own, external] : [external, own];
    const moved = await interruptible((signal) =>
      moveDatabase({
        ...{ on, from: source, to: target, say, signal, replace: choice.replace, poolers },
        agree: () => agreed(choice.yes, poolers !== undefined),
      }),
    );
    if (!moved) {
      say(
        `${isTerminal ? "Nothing was moved" : "Nothing was moved: without a terminal, agree with YES=1"}. What was copied stays in the target; REPLACE=1 replaces it.`,
      );
      return 1;
    }
    const began = Date.now();
    setMode(root, file, to);
    const code = await up(root, readStackFile(root, stack), { yes: true });
    if (code !== 0) {
      say(`\nThe data is in the target, and the source takes no writes. Correct the cause, then: make up ${variables}`);
      return code;
    }
    say(`\nAll clients use the ${to} database; the update took ${Math.round((Date.now() - began) / 1000)} s.`);
    await tidy(on, { own, target });
  } finally {
    await removeClient(on, client);
  }
  say(
    `The ${left} database has what it had; it gets no changes. Back again, with the changes since: ` +
      `make move-database ${variables} TO=${left} REPLACE=1`,
  );
  return 0;
}

/** Ctrl-C and SIGTERM end a move where nothing is lost by it, instead of leaving a source that refuses writes. */
async function interruptible<T>(move: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const end = () => {
    say(
      "  Interrupted: the move ends at its next step, and the source goes on; a target that is complete is not taken back.",
    );
    controller.abort(new UserError("The move was interrupted."));
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const one of signals) process.on(one, end);
  try {
    return await move(controller.signal);
  } finally {
    for (const one of signals) process.off(one, end);
  }
}

/** After the update: no client uses the stack's own database any more, or it is the one in use. A failure affects no client: it is only shown. */
async function tidy(
  on: MoveArgs["on"],
  { own, target }: { readonly own: DatabaseEndpoint; readonly target: DatabaseEndpoint },
): Promise<void> {
  if (target !== own)
    await sql(on, own, writable).catch((error: unknown) => {
      say(`  ${String(error)}`);
    });
  await sql(on, target, dropMarker, "owner").catch((error: unknown) => {
    say(`  ${String(error)}`);
  });
}

/** @throws {UserError} when the stack is not prepared for it, or is there already */
function requireDirection({ stack, settings, variables }: StackFile, to: string | undefined): "own" | "external" {
  if (to !== "own" && to !== "external") throw new UserError(`TO: got '${to ?? ""}', allowed: own, external`);
  const { mode, movable } = settings.database;
  if ((to === "own") === (mode === "provision"))
    throw new UserError(
      `Stack '${stack}' uses ${to === "own" ? "its own" : "the external"} database already (orion:database.mode ${mode}).`,
    );
  if (!movable)
    throw new UserError(
      `Stack '${stack}' is not prepared for it: npx pulumi config set --path orion:database.movable true, then make up ${variables}. ` +
        (mode === "provision"
          ? "PostgreSQL restarts once, so that it writes what the move reads (docs/external.md)."
          : "That makes the stack's own PostgreSQL, beside the external one (docs/external.md)."),
    );
  return to;
}

async function agreed(yes: boolean, hasPoolers: boolean): Promise<boolean> {
  say(
    hasPoolers
      ? "  The target follows. Now PgBouncer holds what clients ask until the target is complete."
      : "  The target follows. Now writes are refused until an update has given all clients the new address; reads are answered.",
  );
  return yes || (await confirm("Go on?"));
}

/** The poolers of the plan. @throws {UserError} when they could not verify the external server */
function poolersIn(
  { topology, settings, variables }: StackFile,
  engines: Engines,
  { to, url }: { readonly to: "own" | "external"; readonly url: string },
): Poolers | undefined {
  const services = servicesOf(topology, "pgbouncer");
  if (services.length > 0 && settings.database.authority === undefined)
    throw new UserError(
      `PgBouncer cannot verify the external server: npx pulumi config set --path orion:database.authority <authority.pem, with the ` +
        `certificate of the authority that has signed the server's; then make up ${variables}`,
    );
  const poolers = services.map((service) => {
    return {
      ...{ name: service.name, container: engines.container(service) },
      run: (script: string) => engines.of(service).askOnHost(["sh", "-s"], script),
      configOf: (logins: Logins) =>
        poolerConfig(topology, settings, service, to === "own" ? { where: to, logins } : { where: to, url }),
    };
  });
  return poolersOf(poolers);
}

const modeOf = (to: "own" | "external") => (to === "own" ? "provision" : "external");

/** Lets the stack use the other database, which the guard refuses without a move. */
function setMode(root: string, { stack, settings }: StackFile, to: "own" | "external"): void {
  const mode = modeOf(to);
  const others = settings.agreed.filter((name) => !/^database\.mode\./.test(name));
  for (const [index, name] of [...others, agreementTo(mode)].entries())
    setConfig(root, stack, `orion:agreed[${index}]`, name);
  setConfig(root, stack, "orion:database.mode", mode);
}
