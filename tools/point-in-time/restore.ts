/**
 * `make restore-drill TIME=...` and `make restore TIME=...`: the database as it was at a given second, in a scratch server or in
 * place of the present data. The work is the server's command (components/database/archive-script.ts).
 */
import { imageRoles } from "../../common/app-contract.ts";
import { archiveCommand } from "../../common/server-contract.ts";
import { UserError } from "../../common/user-error.ts";
import { createSlotScript, slotOf } from "../../components/database/replication.ts";
import type { Service } from "../../topology/service.ts";
import { hasServers, servicesOf } from "../../topology/topology.ts";
import { hostDataFolder } from "../../components/database/data-folders.ts";
import type { Engines } from "../engines.ts";
import type { StackFile } from "../stack-file.ts";
import { bold, confirm, isTerminal, say } from "../terminal.ts";

/** As the server's command takes it; milliseconds and less may follow. */
const timeForm = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?$/;

/** @throws {UserError} when it is no time, before any server is asked */
export function requireTime(option: string, time: string | undefined, now: Date): string {
  const allowed = "allowed: a time in the past in UTC, such as TIME='2026-11-29 12:00:05'";
  if (time === undefined || time === "") throw new UserError(`${option}: TIME is missing; ${allowed}`);
  const at = timeForm.test(time) ? Date.parse(`${time.replace(" ", "T")}Z`) : NaN;
  if (Number.isNaN(at)) throw new UserError(`${option}: got TIME='${time}', ${allowed}`);
  if (at >= now.getTime()) throw new UserError(`${option}: got TIME='${time}', which is not in the past; ${allowed}`);
  return time;
}

/** @throws {UserError} when the stack has none */
function archiveOf({ stack, settings, topology }: StackFile): Service {
  const [service] = servicesOf(topology, "archive");
  if (service) return service;
  throw new UserError(
    !hasServers(topology)
      ? `Stack '${stack}' runs on this machine and archives nothing; phases with servers do.`
      : `Stack '${stack}' cannot be restored to a second: orion:backups.pointInTime is ${settings.backups.pointInTime}, ` +
          `orion:storage.backend ${settings.storage.backend}, orion:database.mode ${settings.database.mode}; true, r2 and provision are needed.`,
  );
}

/**
 * Restores to a second into a scratch server beside the platform, and says what is in it.
 *
 * @param query SQL whose answer there is printed. @default - none
 * @returns 0 when everything up to that second could be read
 */
export function drillTo(file: StackFile, engines: Engines, time: string, query?: string): Promise<number> {
  const moment = requireTime("restore-drill", time, new Date());
  const variables = query === undefined ? [] : ["env", `ORION_DRILL_QUERY=${query}`];
  return engines.of(archiveOf(file)).interactiveOnHost([...variables, archiveCommand, "drill", moment], isTerminal);
}

/**
 * Replaces the data by that of a given second, after asking. Everything that uses the database is stopped meanwhile; what was
 * there stays on the Volume, under another name. Replicas are made again.
 *
 * @returns 1 when the user did not agree, or when it did not succeed and the data of before is in place
 */
export async function restoreTo(
  file: StackFile,
  engines: Engines,
  time: string | undefined,
  yes: boolean,
): Promise<number> {
  const moment = time === "latest" ? time : requireTime("restore", time, new Date());
  const service = archiveOf(file);
  const { stack, topology, variables } = file;
  if (moment === "latest") {
    say(
      bold(`The database of '${stack}' will get everything that was archived, up to the last minute before its loss:`),
    );
    say("  this is for a new, empty database; the data of any other is not archived first, only kept aside");
  } else {
    say(bold(`The database of '${stack}' will get the data of ${moment} UTC:`));
    say("  every change after that is taken back: orders, users, everything, also what the app acknowledged");
  }
  say("  the platform answers with an error page meanwhile; the time that make restore-drill takes is a good estimate");
  say(
    `  the present data ${moment === "latest" ? "" : "is archived first, and "}stays on the Volume beside ${hostDataFolder}`,
  );
  say("  files in R2, the broker and the cache stay as they are");
  if (!yes && !(await confirm("Go on?"))) {
    say(isTerminal ? "Nothing was done." : "Nothing was done: without a terminal, agree with YES=1.");
    return 1;
  }
  const stopped = stopUsers(file, engines);
  let code: number;
  try {
    code = await engines.of(service).interactiveOnHost([archiveCommand, "restore", moment], isTerminal);
    if (code === 0) for (const replica of servicesOf(topology, "replica")) rebuild(file, engines, replica);
  } finally {
    start(engines, stopped);
  }
  say(
    code === 0
      ? `\nNow: make doctor ${variables}; make migrate-up ${variables} if the app is newer than that time; and, if orion:database.rotation was ` +
          `raised since, npx pulumi up --replace '**::database-roles-script' -s ${stack}, which gives the roles their passwords.`
      : "\nThe platform has the data that it had before.",
  );
  return code;
}

type Stopped = readonly { readonly server: string; readonly ids: readonly string[] }[];

function stopUsers({ stack, topology }: StackFile, engines: Engines): Stopped {
  const servers = [
    ...new Set(
      topology.services.filter(({ kind }) => imageRoles.some((role) => role === kind)).map(({ server }) => server),
    ),
  ];
  return servers.map((server) => {
    const filters = imageRoles.flatMap((kind) => {
      const { stdout } = engines
        .of({ server })
        .capture("container", "ls", "--quiet", "--filter", `label=stack=${stack}`, "--filter", `label=role=${kind}`);
      return stdout.split("\n").filter(Boolean);
    });
    say(`  ${server}: ${filters.length} containers stop`);
    if (filters.length > 0) engines.of({ server }).capture("container", "stop", ...filters);
    return { server, ids: filters };
  });
}

function start(engines: Engines, stopped: Stopped): void {
  for (const { server, ids } of stopped.filter((one) => one.ids.length > 0)) {
    const { code, stderr } = engines.of({ server }).capture("container", "start", ...ids);
    say(code === 0 ? `  ${server}: ${ids.length} containers run again` : `  ${server}: ${stderr.trim()}`);
  }
}

/** A replica has changes that its primary no longer has: it begins with a copy of the primary again. */
function rebuild({ topology }: StackFile, engines: Engines, replica: Service): void {
  const [primary] = servicesOf(topology, "database");
  if (!primary) return;
  const must = (what: string, { code, stdout, stderr }: ReturnType<ReturnType<Engines["of"]>["capture"]>): void => {
    if (code !== 0) throw new UserError(`${replica.name}: ${what} did not succeed: ${(stderr || stdout).trim()}`);
  };
  const engine = engines.of(replica);
  say(`  ${replica.name} begins with a copy of the primary again`);
  must("to stop it", engine.capture("container", "stop", replica.container));
  const slot = ["-v", "ON_ERROR_STOP=1", "-v", `slot=${slotOf(replica.name)}`];
  must(
    "its slot",
    engines
      .of(primary)
      .feed(createSlotScript, "container", "exec", "--interactive", primary.container, "psql", "-XqtA", ...slot),
  );
  must("to empty it", engine.captureOnHost("find", hostDataFolder, "-mindepth", "1", "-delete"));
  must("to start it", engine.capture("container", "start", replica.container));
}
