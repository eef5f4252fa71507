/** `make doctor`: checks every server, service, backup and disk of a stack, and explains each problem. */
import type { Server } from "../../topology/server.ts";
import { type Topology, hasServers, lastingServices, servicesOf } from "../../topology/topology.ts";
import { checkBackup } from "../backup.ts";
import { checkArchive } from "../point-in-time/archive-check.ts";
import { inspectContainer, requireDocker } from "../docker.ts";
import type { Engines } from "../engines.ts";
import type { StackFile } from "../stack-file.ts";
import { readState } from "../state.ts";
import { bold, dim, green, red, say, yellow } from "../terminal.ts";
import { explain, type Finding, isWarning } from "./advice.ts";
import { agesOf } from "./ages.ts";
import { judgeRanges, publishedRanges } from "./cloudflare-ranges.ts";
import { clientCertificateEnd, judgeClientCertificate } from "./client-certificate.ts";
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
  const { settings, topology } = file;
  if (!hasServers(topology)) requireDocker(settings.dockerHost);
  const silent = topology.servers.flatMap((server) => silenceOf(server, topology, engines) ?? []);
  const answers = ({ server }: { readonly server: string }) => silent.every(({ service }) => service !== server);
  const services = lastingServices(topology).filter(answers);
  const backups = servicesOf(topology, "backup").filter(answers);
  const archives = servicesOf(topology, "archive").filter(answers);
  const states = new Map(services.map((service) => [service.name, inspectContainer(service, engines)]));
  const exec: Exec = (service, ...command) => {
    if (!answers(service)) return { ok: false, output: `${service.server} does not answer` };
    const container = states.get(service.name)?.Name ?? service.container;
    const { code, stdout, stderr } = engines.of(service).capture("exec", container, ...command);
    return { ok: code === 0, output: (stdout + stderr).trim() };
  };

  const disks = disksOf(topology).filter(answers);
  const names = [
    ...[...services, ...backups, ...archives, ...disks].map(({ name }) => name),
    ...silent.map(({ service }) => service),
    ...(settings.cloudflare.enabled ? [rangesName, certificateName] : []),
  ];
  const width = Math.max(...names.map((name) => name.length));
  const findings: Finding[] = [];
  const take = (finding: Finding) => {
    findings.push(finding);
    found(finding, width);
  };
  for (const finding of silent) take(finding);
  for (const service of services) {
    const state = states.get(service.name);
    take({ service: service.name, ...(await checkContainer({ service, topology, exec }, state)) });
  }
  for (const service of backups) take(checkBackup(service, engines, new Date()));
  for (const service of archives) take(checkArchive(service, engines, new Date()));
  for (const disk of disks) take(checkDisk(disk, engines));
  for (const finding of agesOf(file, engines, answers, new Date())) take(finding);
  if (settings.cloudflare.enabled) {
    take({ service: rangesName, ...judgeRanges(await publishedRanges(file.cloudflareApi), new Date()) });
    const end = clientCertificateEnd(readState(engines.root, file.stack)?.deployment.resources ?? []);
    take({ service: certificateName, ...judgeClientCertificate(end, new Date()) });
  }
  return findings;
}

/** The finding of a server that does not answer, whose services cannot be checked; undefined for one that answers. */
function silenceOf({ name }: Server, topology: Topology, engines: Engines): Finding | undefined {
  const { code, stderr } = engines
    .of({ server: name })
    .impatient()
    .captureOnHost("docker", "version", "--format", "ok");
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
