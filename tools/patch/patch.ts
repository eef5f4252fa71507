/**
 * `make patch`: brings the packages of a stack's servers, and the images of the services that hold data, up to date: one server
 * after the other, each until all of the platform is well again. What has been done is known to the servers themselves, so an
 * interrupted patch continues when it is run again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../common/user-error.ts";
import { readyScript } from "../../common/power-off-script.ts";
import { edgeHealthOf } from "../../components/fleet/edge-health.ts";
import { hasServers } from "../../topology/topology.ts";
import { examine } from "../doctor/doctor.ts";
import { explain, type Finding, isWarning, type Problem } from "../doctor/advice.ts";
import { type Engine, Engines } from "../engines.ts";
import type { StackFile } from "../stack-file.ts";
import { bold, confirm, isTerminal, say, table } from "../terminal.ts";
import { describeImages, pendingImages, updateImages } from "./images.ts";
import { describe, drainsFirst, isBehind, type PlannedServer, serversInOrder } from "./plan.ts";
import { statusOf } from "./ask-status.ts";
import type { ServerStatus } from "./server-status.ts";
import { markScript, startScript, updateListsCommand } from "./server-script.ts";
import { patchLog } from "../../common/server-contract.ts";

export interface PatchOptions {
  /** Whether to only say what would be done. */
  readonly dry: boolean;
  /** Whether the user has agreed in advance. */
  readonly yes: boolean;
  /** Whether to reboot servers that do not ask for it. */
  readonly reboots: boolean;
}

/** A server with what it said at the start. */
interface Found extends PlannedServer {
  readonly status: ServerStatus;
}

/** Seconds that something may take before the patch stops. */
const limits = { install: 3600, reboot: 600, healthy: 600, well: 300 } as const;
const secondsBetween = 2;
/** How often in a row a server must be healthy, so that load balancers have noticed it as well. */
const healthyInARow = 8;

/**
 * Patches a stack.
 *
 * @param root folder of the stack's Pulumi project
 * @param project folder of the program
 * @returns 0 when everything is up to date; 1 when the user did not agree, or something remains to be done
 * @throws {UserError} when the platform is not well before, or a server does not come back; no other server is touched then
 */
export async function patch(root: string, project: string, file: StackFile, options: PatchOptions): Promise<number> {
  const { topology, stack } = file;
  if (!hasServers(topology)) {
    throw new UserError(
      `Stack '${stack}' has no servers. Its images are renewed with: make outdated WRITE=1, then make images and make up`,
    );
  }
  const engines = new Engines(root, file);
  const found = serversInOrder(topology).map((planned) => ({ ...planned, status: refreshed(planned, engines, file) }));
  const images = pendingImages(root, project, file);
  const behind = found.filter(({ status }) => options.reboots || isBehind(status) || isUnfinished(status));
  say(planOf(found, options));
  for (const line of describeImages(images, topology)) say(line);
  if (options.dry) return 0;
  for (const { server } of found.filter((one) => !behind.includes(one))) mark(engines.of({ server: server.name }));
  if (behind.length === 0 && images.length === 0) {
    say(`\nEverything on the servers of '${stack}' is up to date.`);
    return 0;
  }
  // A server that an earlier run has left drained is no reason to refuse.
  if (!found.some(({ status }) => isUnfinished(status))) await requireWell(file, engines);
  if (!options.yes && !(await confirm("\nPatch them in this order?"))) {
    say(isTerminal ? "Nothing was done." : "Nothing was done: without a terminal, agree with YES=1.");
    return 1;
  }
  for (const one of behind) await patchServer(one, file, engines, options);
  if (images.length > 0) {
    const code = await updateImages(root, file, images, () => untilWell(file, engines));
    if (code !== 0) return code;
  }
  say(`\n${bold(`Everything on the servers of '${stack}' is up to date, and all of it is well.`)}`);
  return 0;
}

/** Whether a patch runs on the server, or has ended without its last step. */
const isUnfinished = ({ step, isPatching, boot }: ServerStatus): boolean =>
  isPatching || (step !== undefined && step.name !== "done" && !(step.name === "rebooting" && step.detail !== boot));

/** What the server says after it has fetched the package lists. @throws {UserError} when it cannot */
function refreshed({ server }: PlannedServer, engines: Engines, { variables }: StackFile): ServerStatus {
  const engine = engines.of({ server: server.name });
  const first = statusOf(engine);
  if (!first)
    throw new UserError(
      `${server.name} does not answer over SSH. Expected: a platform that is well; make doctor ${variables}`,
    );
  if (first.isPatching) return first;
  const { code, output } = engine.feedOnHost(`LC_ALL=C ${updateListsCommand}\n`, "sh", "-s");
  if (code !== 0) {
    const reasons = output.split("\n").filter((line) => /^[EW]:/.test(line));
    throw new UserError(
      `${server.name} cannot fetch its package lists:\n  ${reasons.slice(0, 3).join("\n  ")}\n` +
        "No server was changed. Check its network and /etc/apt/sources.list*.",
    );
  }
  return statusOf(engine) ?? first;
}

/** Notes that nothing newer exists for the server today. */
const mark = (engine: Engine): void => void engine.feedOnHost(markScript, "sh", "-s");

function planOf(found: readonly Found[], { reboots }: PatchOptions): string {
  const rows = found.map(({ server, kind, status }, index) => [
    String(index + 1),
    server.name,
    isUnfinished(status)
      ? `an earlier patch got as far as '${status.step?.name ?? "starting"}' and is continued`
      : describe(kind, status) + (reboots ? "; rebooted because of REBOOT=1" : ""),
  ]);
  return table([["", "server", "what is done"].map(bold), ...rows]);
}

/** @throws {UserError} when a check finds a problem */
async function requireWell(file: StackFile, engines: Engines): Promise<void> {
  const problems = await problemsOf(file, engines);
  if (problems.length === 0) return;
  throw new UserError(
    `The platform is not well, so nothing was patched:\n${listOf(problems, file.variables)}\n` +
      `make doctor ${file.variables} says more.`,
  );
}

async function problemsOf(file: StackFile, engines: Engines): Promise<Finding[]> {
  const findings = await examine(file, engines, () => undefined);
  return findings.filter(({ problem }) => problem !== undefined && !isWarning(problem) && !unrelated.has(problem));
}

/** Weaknesses that a patch neither makes worse nor waits for: they are no reason to leave the servers unpatched. */
const unrelated: ReadonlySet<Problem> = new Set<Problem>([
  ...(["ranges-old", "ranges-differ", "no-checksums", "superuser-open"] as const),
]);

const listOf = (problems: readonly Finding[], variables: string): string =>
  problems
    .map(({ service, problem, detail }) => {
      const meaning = problem === undefined ? "" : explain(problem, service, variables).meaning;
      return `  ${service}: ${meaning} (${detail.split("\n")[0] ?? ""})`;
    })
    .join("\n");

/** Patches one server and waits until all of the platform is well. @throws {UserError} when that does not happen */
async function patchServer(found: Found, file: StackFile, engines: Engines, options: PatchOptions): Promise<void> {
  const { server, kind, status } = found;
  const engine = engines.of({ server: server.name });
  say(`\n${bold(server.name)}`);
  if (!status.isPatching) {
    const script = startScript({ stack: file.stack, drainsFirst: drainsFirst(kind), reboots: options.reboots });
    const { code, output } = engine.feedOnHost(script, "sh", "-s");
    if (code !== 0) throw stopped(server.name, `the patch could not be started: ${output.trim()}`, file);
  }
  const began = Date.now();
  const away = await follow(found, file, engine);
  const back = await untilHealthy(found, file, engine);
  const seconds = (since: number, until: number) => Math.round((until - since) / 1000);
  if (away !== undefined) note(`its containers were away for ${seconds(away, back)} s at most`);
  await untilWell(file, engines, server.name);
  note(`well after ${seconds(began, Date.now())} s`);
}

const note = (line: string): void => {
  say(`  ${line}`);
};

/**
 * Follows the patch on a server until its script has ended and, after a reboot, the server answers again.
 *
 * @returns when its containers began to stop; undefined when they did not
 */
async function follow({ server, status }: Found, file: StackFile, engine: Engine): Promise<number | undefined> {
  const began = Date.now();
  let said = "";
  let away: number | undefined;
  let silentSince: number | undefined;
  for (;;) {
    const seen = statusOf(engine.impatient());
    const step = seen?.step?.name;
    silentSince = seen ? undefined : (silentSince ?? Date.now());
    if (step !== undefined && step !== said) {
      if (titles[step]) note(titles[step]);
      said = step;
      if (step === "draining") away = Date.now();
    }
    if (step === "failed")
      throw stopped(server.name, `${seen?.step?.detail ?? ""}; the end of its log is at ${patchLog} there`, file);
    if (step === "done") return away;
    if (seen && step === "rebooting" && seen.boot !== seen.step?.detail) {
      engine.disconnect();
      note(`it is back, with kernel ${seen.kernel}`);
      return away ?? began;
    }
    if (seen && step !== "rebooting" && !seen.isPatching && Date.now() - began > 10_000) {
      throw stopped(
        server.name,
        `the patch ended in the middle of '${step ?? "?"}'; its log is at ${patchLog} there`,
        file,
      );
    }
    if (silentSince !== undefined && Date.now() - silentSince > limits.reboot * 1000) {
      throw stopped(server.name, `it has not answered for ${limits.reboot} s`, file);
    }
    if (Date.now() - began > limits.install * 1000) {
      throw stopped(
        server.name,
        `it still works on '${step ?? status.step?.name ?? "?"}' after ${limits.install} s`,
        file,
      );
    }
    await sleep(secondsBetween * 500);
  }
}

const titles: Readonly<Record<string, string>> = {
  updating: "fetches its packages",
  draining: "finishes its requests and tasks",
  installing: "installs its packages",
  rebooting: "reboots",
  starting: "starts Docker, where it does not run or was replaced",
};

/**
 * Waits until all containers of the server are healthy, and load balancers have noticed.
 *
 * @returns when they were healthy first
 */
async function untilHealthy({ server }: Found, file: StackFile, engine: Engine): Promise<number> {
  const script = readyScript(file.stack, edgeHealthOf(file.topology, server));
  const end = Date.now() + limits.healthy * 1000;
  let seen = "no answer";
  let back = 0;
  for (let good = 0; good < healthyInARow;) {
    const { code, output } = engine.impatient().feedOnHost(script, "sh", "-s");
    if (code === 0 && good === 0) back = Date.now();
    good = code === 0 ? good + 1 : 0;
    if (code !== 0) seen = output.trim().split("\n").at(-1) || seen;
    if (good === 0 && Date.now() > end) {
      throw stopped(server.name, `its containers are not healthy after ${limits.healthy} s: ${seen}`, file);
    }
    await sleep(secondsBetween * 1000);
  }
  return back;
}

/** Waits until every check of `make doctor` passes. */
async function untilWell(file: StackFile, engines: Engines, server?: string): Promise<void> {
  const end = Date.now() + limits.well * 1000;
  for (;;) {
    const problems = await problemsOf(file, engines);
    if (problems.length === 0) return;
    if (Date.now() > end) throw stopped(server, `the platform is not well:\n${listOf(problems, file.variables)}`, file);
    await sleep(5000);
  }
}

/** The patch ends here: why, and what to do. */
function stopped(server: string | undefined, why: string, { variables }: StackFile): UserError {
  return new UserError(
    `The patch stopped${server === undefined ? "" : ` at ${server}`}: ${why}\n` +
      "The servers after it were not touched. What to do:\n" +
      (server === undefined
        ? ""
        : `  1. look at ${server}: its console at Hetzner shows whether it boots. If its kernel does not boot, choose the one before in its\n` +
          "     boot menu (advanced options), and hold it: apt-mark hold linux-image-cloud-amd64\n" +
          "     If it hangs: hcloud server reset; its data is on the Volume and survives that\n") +
      `  2. make doctor ${variables} says what is not well, and what helps\n` +
      `  3. make patch ${variables} continues: it begins with the servers that are not done`,
  );
}
