/** `make doctor`: checks every server, service, backup and disk of a stack, and explains each problem. */
import type { Server } from "../../topology/server.ts";
import type { Service } from "../../topology/service.ts";
import { byServer, type Topology, hasServers, lastingServices, servicesOf } from "../../topology/topology.ts";
import { checkBackup } from "../backup.ts";
import { checkArchive } from "../point-in-time/archive-check.ts";
import { containerStates, type ContainerState, requireDocker } from "../docker.ts";
import type { Engines } from "../engines.ts";
import type { StackFile } from "../stack-file.ts";
import { readState } from "../state.ts";
import { bold, dim, green, red, say, yellow } from "../terminal.ts";
import { explain, type Finding, isWarning } from "./advice.ts";
import { agesOf } from "./ages.ts";
import { judgeRanges, publishedRanges } from "./cloudflare-ranges.ts";
import { clientCertificateEnd, judgeClientCertificate } from "./client-certificate.ts";
import { externalChecks } from "./checks/external.ts";
import { askWorkers, type NamedWorker } from "./checks/worker.ts";
import { checkContainer } from "./containers.ts";
import { checkDisk, disksOf } from "./disks.ts";
import type { Exec } from "./question.ts";

/** What the rows about Cloudflare are called. */
const rangesName = "cloudflare ranges";
const certificateName = "client certificate";

/**
 * Checks every component of the stack.
 *
 * @returns 0 when all checks pass, otherwise 1
 */
export async function doctor(file: StackFile, engines: Engines): Promise<number> {
  return (await diagnose(file, engines)).some(isProblem) ? 1 : 0;
}

/** Like `doctor`, for a caller that reports the findings as well. */
export async function diagnose(file: StackFile, engines: Engines): Promise<Finding[]> {
  const findings = await examine(file, engines, (finding, width) => {
    say(rowOf(finding, width));
  });
  report(file.stack, file.variables, findings);
  return findings;
}

/** Whether a finding is more than a warning. */
export const isProblem = ({ problem }: Finding): boolean => problem !== undefined && !isWarning(problem);

/**
 * Makes every check of the stack.
 *
 * @param found gets each finding at once, since some checks take seconds, and the length of the longest name
 */
export async function examine(
  file: StackFile,
  engines: Engines,
  found: (finding: Finding, width: number) => void,
): Promise<Finding[]> {
  const { settings, topology, stack } = file;
  if (!hasServers(topology)) requireDocker(settings.dockerHost);
  const silences = await Promise.all(topology.servers.map((server) => silenceOf(server, topology, engines)));
  const silent = silences.flatMap((finding) => finding ?? []);
  const answers = ({ server }: { readonly server: string }) => silent.every(({ service }) => service !== server);
  const services = lastingServices(topology).filter(answers);
  const states = await statesOf(services, engines, stack);
  const exec: Exec = async (service, ...command) => {
    if (!answers(service)) return { ok: false, output: `${service.server} does not answer` };
    const container = states.get(service.name)?.Name ?? service.container;
    const { code, stdout, stderr } = await engines.of(service).ask("exec", container, ...command);
    return { ok: code === 0, output: (stdout + stderr).trim() };
  };
  const workers = once(() => askWorkers(running(services, states), { topology, exec }));
  const now = new Date();
  const disks = disksOf(topology).filter(answers);
  const ofServices = services.map((service) => ({
    name: service.name,
    check: async (): Promise<Finding> => {
      const isDatabaseLeft = settings.database.mode === "external";
      const question = { service, topology, exec, workers, isDatabaseLeft };
      return { service: service.name, ...(await checkContainer(question, states.get(service.name))) };
    },
  }));
  const others = [
    ...servicesOf(topology, "backup")
      .filter(answers)
      .map((service) => ({ name: service.name, check: () => checkBackup(service, engines, now) })),
    ...servicesOf(topology, "archive")
      .filter(answers)
      .map((service) => ({ name: service.name, check: () => checkArchive(service, engines, now) })),
    ...disks.map((disk) => ({ name: disk.name, check: () => checkDisk(disk, engines) })),
    ...agesOf(file, engines, answers, now).map((check) => ({ name: "", check })),
    ...externalChecks(engines.root, file),
    ...(settings.cloudflare.enabled ? cloudflareChecks(file, engines.root, now) : []),
  ];
  const checks = [
    ...silent.map((finding) => ({ name: finding.service, check: () => Promise.resolve(finding) })),
    ...[...ofServices, ...others],
  ];
  return sideBySide(checks, found);
}

interface Check {
  /** What the check is called; empty where it says so itself. */
  readonly name: string;
  readonly check: () => Promise<Finding>;
}

/** Makes all checks at once, and tells what they find in the order of the list. */
async function sideBySide(
  checks: readonly Check[],
  found: (finding: Finding, width: number) => void,
): Promise<Finding[]> {
  const width = Math.max(...checks.map(({ name }) => name.length));
  // One that throws at once fails like the others, when its turn comes.
  const made = checks.map(async ({ check }) => check());
  for (const each of made) each.catch(() => undefined);
  const findings: Finding[] = [];
  for (const each of made) {
    const finding = await each;
    findings.push(finding);
    found(finding, width);
  }
  return findings;
}

/** The containers of the services, by the services' names: two calls to each server. */
async function statesOf(
  services: readonly Service[],
  engines: Engines,
  stack: string,
): Promise<ReadonlyMap<string, ContainerState>> {
  const found = byServer(services).map(async ({ first, services: own }) => {
    const states = await containerStates(engines.of(first), stack);
    return own.flatMap(({ name }) => {
      const state = states.get(name);
      return state ? [[name, state] as const] : [];
    });
  });
  return new Map((await Promise.all(found)).flat());
}

/** The workers that run. */
const running = (services: readonly Service[], states: ReadonlyMap<string, ContainerState>): NamedWorker[] =>
  services.flatMap((service) => {
    const state = states.get(service.name);
    return service.kind === "worker" && state?.State.Status === "running"
      ? [{ service, host: state.Config.Hostname }]
      : [];
  });

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

const cloudflareChecks = (file: StackFile, root: string, now: Date): Check[] => [
  {
    name: rangesName,
    check: async () => ({ service: rangesName, ...judgeRanges(await publishedRanges(file.cloudflareApi), now) }),
  },
  {
    name: certificateName,
    check: () => {
      const end = clientCertificateEnd(readState(root, file.stack)?.deployment.resources ?? []);
      return Promise.resolve({ service: certificateName, ...judgeClientCertificate(end, now) });
    },
  },
];

/** The finding of a server that does not answer, whose services cannot be checked; undefined for one that answers. */
async function silenceOf({ name }: Server, topology: Topology, engines: Engines): Promise<Finding | undefined> {
  const engine = engines.of({ server: name }).impatient();
  const { code, stderr } = await engine.askOnHost(["docker", "version", "--format", "ok"]);
  if (code === 0) return undefined;
  const lost = lastingServices(topology).filter(({ server }) => server === name);
  const holdsPrimary = lost.some(({ kind }) => kind === "database");
  const hasReplica = servicesOf(topology, "replica").length > 0;
  return {
    service: name,
    problem: holdsPrimary && hasReplica ? "primary-silent" : "server-silent",
    detail: `${stderr.trim().split("\n").at(-1) ?? ""} (there: ${lost.map((service) => service.name).join(", ")})`,
  };
}

function rowOf({ service, problem, detail }: Finding, width: number): string {
  const text = `${service.padEnd(width)}  ${detail.split("\n")[0] ?? ""}`;
  if (problem === undefined) return `${green("ok")}       ${text}`;
  return isWarning(problem) ? yellow(`old      ${text}`) : red(`PROBLEM  ${text}`);
}

/** Prints what each problem means and what to do about it. */
function report(stack: string, variables: string, findings: readonly Finding[]): void {
  const problems = findings.flatMap(({ problem, ...rest }) => (problem === undefined ? [] : [{ problem, ...rest }]));
  for (const { problem, service, detail } of problems) {
    const { meaning, remedy } = explain(problem, service, variables);
    say(`\n${bold(service)}: ${meaning}\n${yellow("  do:")} ${remedy}`);
    if (detail.includes("\n")) say(dim(detail));
  }
  const bad = problems.filter(({ problem }) => !isWarning(problem)).length;
  const old = problems.length - bad;
  const aside = old === 0 ? "" : ` ${old} of the checks ${old === 1 ? "asks" : "ask"} for maintenance.`;
  say((bad === 0 ? `\nAll of '${stack}' is well.` : `\n${bad} of ${findings.length} checks found a problem.`) + aside);
}
