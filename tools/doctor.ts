/** `make doctor`: asks every component how it is, the way a person would, and explains what is wrong. */
import { existsSync } from "node:fs";
import { dataMount } from "../components/host/cloud-init.ts";
import { redisDatabases } from "../components/cache/redis-config.ts";
import { queues } from "../config/schema.ts";
import { edgeHealthPath } from "../components/edge-proxy/nginx-config.ts";
import { containerPorts } from "../topology/plan.ts";
import { lastingServices, type Server, type Service, servicesOf, type Topology } from "../topology/types.ts";
import { explain, type Finding, type Problem } from "./advice.ts";
import { checkBackup } from "./backup.ts";
import { type ContainerState, inspectContainer, requireDocker } from "./docker.ts";
import { type Engines } from "./engines.ts";
import { type StackFile } from "./stack-file.ts";
import { bold, dim, green, red, say, yellow } from "./terminal.ts";

/** Runs a command in a service's container. */
type Exec = (service: Service, ...command: string[]) => { ok: boolean; output: string };

/** A query that runs longer than this, in seconds, is worth a look. */
const slowQuerySeconds = 30;
/** A replica may be so far behind, in seconds: a long query holds it up. */
const lateSeconds = 300;

/**
 * Checks every component of the stack.
 *
 * @returns 0 when all are well, 1 when something is wrong
 */
export async function doctor({ stack, settings, topology, variables }: StackFile, engines: Engines): Promise<number> {
  if (topology.servers.length === 0) requireDocker(settings.dockerHost);
  const silent = topology.servers.flatMap((server) => silenceOf(server, topology, engines) ?? []);
  const answers = ({ server }: { readonly server: string }) => silent.every(({ service }) => service !== server);
  const services = lastingServices(topology).filter(answers);
  const backups = servicesOf(topology, "backup").filter(answers);
  const states = new Map(services.map((service) => [service.name, inspectContainer(service, engines)]));
  const exec: Exec = (service, ...command) => {
    if (!answers(service)) return { ok: false, output: `${service.server} does not answer` };
    const container = states.get(service.name)?.Name ?? service.container;
    const { code, stdout, stderr } = engines.of(service).capture("exec", container, ...command);
    return { ok: code === 0, output: (stdout + stderr).trim() };
  };

  const disks = disksOf(topology).filter(answers);
  const names = [
    ...[...services, ...backups, ...disks].map(({ name }) => name),
    ...silent.map(({ service }) => service),
  ];
  const width = Math.max(...names.map((name) => name.length));
  const findings: Finding[] = [];
  // Each at once: some checks take seconds.
  const found = (finding: Finding) => {
    findings.push(finding);
    say(rowOf(finding, width));
  };
  for (const finding of silent) found(finding);
  for (const service of services) {
    const state = states.get(service.name);
    found(
      state?.State.Status === "running"
        ? await checkRunning(service, state, topology, exec)
        : { service: service.name, problem: state ? "stopped" : "missing", detail: describeExit(state) },
    );
  }
  for (const service of backups) found(checkBackup(service, engines, new Date()));
  for (const disk of disks) found(checkDisk(disk, engines));
  report(stack, variables, findings);
  return findings.some(({ problem }) => problem !== undefined) ? 1 : 0;
}

/** The finding of a server that does not answer; undefined for one that does. What runs there cannot be asked. */
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

function describeExit(state: ContainerState | undefined): string {
  if (!state) return "no such container";
  return state.State.OOMKilled ? "killed: out of memory" : `${state.State.Status}, exit code ${state.State.ExitCode}`;
}

async function checkRunning(service: Service, state: ContainerState, topology: Topology, exec: Exec): Promise<Finding> {
  const { name } = service;
  if (state.State.Health && state.State.Health.Status !== "healthy") {
    return { service: name, problem: "unhealthy", detail: `health: ${state.State.Health.Status}` };
  }
  const finding = await checkFunction(service, topology, exec);
  const restarts = state.RestartCount > 0 ? `, restarted ${state.RestartCount} times` : "";
  return { service: name, ...finding, detail: finding.detail + restarts };
}

type Checked = Omit<Finding, "service">;

async function checkFunction(service: Service, topology: Topology, exec: Exec): Promise<Checked> {
  const app = servicesOf(topology, "app").find(({ server }) => server === service.server);
  switch (service.kind) {
    case "database":
    case "test-database":
      return checkDatabase(service, exec);
    case "replica":
      return checkReplica(service, exec);
    case "cache":
    case "broker":
      return checkCache(service, exec);
    case "worker":
      return checkWorker(service, topology, exec);
    case "app":
      return checkHttp(service, "/ready", "app-not-ready", exec, service);
    case "edge":
      return isBehindBalancer(service)
        ? checkHttp(service, edgeHealthPath, "bad-gateway", exec, app)
        : checkHttp(service, "/ready", "bad-gateway", exec, app);
    case "flower":
      return checkHttp(service, "/", "no-answer", exec, service);
    case "docs":
      return checkHttp(service, "/", "no-answer", exec, app);
    default:
      return { detail: "healthy" };
  }
}

function checkDatabase(service: Service, exec: Exec): Checked {
  const query = `SELECT (SELECT count(*) FROM pg_stat_activity), current_setting('max_connections'),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active' AND now() - query_start > interval '${slowQuerySeconds} seconds'),
    pg_size_pretty(pg_database_size(current_database()))`;
  const { ok, output } = exec(service, "psql", "-XtA", "-F", " ", "-c", query);
  if (!ok) return { problem: "database-refuses", detail: output };
  const [connections = "0", most = "0", slow = "0", ...size] = output.split(" ");
  const detail = `${connections} of ${most} connections, ${slow} slow queries, ${size.join(" ")}`;
  if (Number(slow) > 0) return { problem: "slow-queries", detail };
  return Number(connections) > Number(most) * 0.9 ? { problem: "connections", detail } : { detail };
}

/** A replica that has nothing to fetch is not late, however long ago the last change was. */
function checkReplica(service: Service, exec: Exec): Checked {
  const query = `SELECT coalesce((SELECT status FROM pg_stat_wal_receiver), 'nothing'),
    CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
      ELSE coalesce(round(extract(epoch FROM now() - pg_last_xact_replay_timestamp())), 0) END`;
  const { ok, output } = exec(service, "psql", "-XtA", "-F", " ", "-c", query);
  if (!ok) return { problem: "database-refuses", detail: output };
  const [status = "", seconds = "0"] = output.split(" ");
  const detail = `${status} from the primary, ${seconds} s behind`;
  return status === "streaming" && Number(seconds) <= lateSeconds ? { detail } : { problem: "replica-behind", detail };
}

function checkCache(service: Service, exec: Exec): Checked {
  const { ok, output } = exec(service, "redis-cli", "info");
  if (!ok || !output.includes("used_memory_human")) return { problem: "cache-refuses", detail: output.slice(0, 200) };
  const value = (key: string) => new RegExp(`^${key}:(.*?)\\r?$`, "m").exec(output)?.[1] ?? "?";
  const detail = `${value("used_memory_human")} of ${value("maxmemory_human")}, ${value("connected_clients")} clients`;
  return Number(value("used_memory")) > Number(value("maxmemory")) * 0.9
    ? { problem: "cache-full", detail }
    : { detail };
}

function checkWorker(service: Service, topology: Topology, exec: Exec): Checked {
  const [cache] = [...servicesOf(topology, "broker"), ...servicesOf(topology, "cache")];
  const lengths = (service.queues ?? queues).map((queue) => {
    const { output } = cache
      ? exec(cache, "redis-cli", "-n", String(redisDatabases.broker), "llen", queue)
      : { output: "0" };
    return { queue, length: Number(output) || 0 };
  });
  const waiting = lengths.filter(({ length }) => length > 0).map(({ queue, length }) => `${queue} ${length}`);
  const answers = exec(service, "celery", "-A", "app.celery", "inspect", "ping", "--timeout", "5");
  const detail = waiting.length > 0 ? `waiting: ${waiting.join(", ")}` : "no task waits";
  if (!answers.ok || !answers.output.includes("pong")) return { problem: "worker-silent", detail };
  return lengths.some(({ length }) => length > 1000) ? { problem: "tasks-pile-up", detail } : { detail };
}

/** Whether an address answers: from this machine in development, from inside an app's container on a server. */
async function checkHttp(
  service: Service,
  path: string,
  problem: NonNullable<Finding["problem"]>,
  exec: Exec,
  from: Service | undefined,
): Promise<Checked> {
  const url = service.server === "local" ? localUrl(service, path) : insideUrl(service, path);
  if (url === undefined) return { detail: "healthy" };
  const { status, text } = service.server === "local" ? await fetchStatus(url) : fetchInside(url, exec, from);
  if (status === 0) return { problem: "no-answer", detail: `${url}: ${text}` };
  const detail = `${url} answers ${status}`;
  // Who only has to answer may ask for a password.
  const isWell = status < (problem === "no-answer" ? 500 : 400);
  return isWell ? { detail } : { problem, detail: `${detail} ${text}` };
}

const localUrl = ({ published: [at] }: Service, path: string): string | undefined =>
  at && `http://${at.address}:${at.port}${path}`;

/** Whether an edge takes visitors from a load balancer alone; then it has a port for questions. */
const isBehindBalancer = ({ published }: Service): boolean =>
  published.some(({ containerPort }) => containerPort === containerPorts.edgeHealth);

/** By its name in the container network, where an edge with TLS has that at its second port. */
function insideUrl(service: Service, path: string): string {
  const { name, kind, published } = service;
  if (isBehindBalancer(service)) return `http://${name}:${containerPorts.edgeHealth}${path}`;
  if (kind === "edge" && published.length > 1) return `https://${name}:${containerPorts.edgeTls}${path}`;
  const port = kind === "edge" ? containerPorts.edge : kind === "flower" ? containerPorts.flower : containerPorts.app;
  return `http://${name}:${port}${path}`;
}

async function fetchStatus(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return { status: response.status, text: (await response.text()).slice(0, 200) };
  } catch (error) {
    return { status: 0, text: error instanceof Error ? error.message : String(error) };
  }
}

/** Python is in every image that runs FastAPI. What is asked for is an answer, not whether its certificate is trusted. */
const fetchScript = `import ssl, sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=5, context=ssl._create_unverified_context())
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read(200).decode(errors="replace"))`;

function fetchInside(url: string, exec: Exec, from: Service | undefined): { status: number; text: string } {
  if (!from) return { status: 0, text: "no app to look from" };
  const { ok, output } = exec(from, "python", "-c", fetchScript, url);
  const [status = "0", ...text] = output.split(" ");
  return ok ? { status: Number(status), text: text.join(" ") } : { status: 0, text: output.split("\n").at(-1) ?? "" };
}

interface Disk {
  readonly name: string;
  readonly server: string;
  readonly path: string;
  /** What it is when there is hardly room left. @default disk-full */
  readonly full?: Problem;
}

const dockerFolder = "/var/lib/docker";

/** The disks that the stack writes to: those of containers, and the Volumes with data. Docker Desktop's is out of sight. */
function disksOf({ servers }: Topology): Disk[] {
  if (servers.length === 0)
    return existsSync(dockerFolder) ? [{ name: "disk", server: "local", path: dockerFolder }] : [];
  return servers.flatMap(({ name, volumeGb }) => [
    { name: `disk of ${name}`, server: name, path: dockerFolder },
    ...(volumeGb > 0
      ? [{ name: `volume of ${name}`, server: name, path: dataMount, full: "volume-full" as const }]
      : []),
  ]);
}

function checkDisk({ name, server, path, full = "disk-full" }: Disk, engines: Engines): Finding {
  const { code, stdout, stderr } = engines.of({ server }).captureOnHost("df", "--output=pcent,avail", "-h", path);
  if (code !== 0) return { service: name, problem: "no-answer", detail: stderr.trim() };
  const [, line = ""] = stdout.trim().split("\n");
  const [used = "0%", available = "?"] = line.trim().split(/\s+/);
  const detail = `${used} used, ${available} free`;
  return { service: name, ...(Number.parseInt(used) >= 90 && { problem: full }), detail };
}

function rowOf({ service, problem, detail }: Finding, width: number): string {
  const text = `${service.padEnd(width)}  ${detail.split("\n")[0] ?? ""}`;
  return problem === undefined ? `${green("ok")}       ${text}` : red(`PROBLEM  ${text}`);
}

/** What the problems mean and what to do about each. */
function report(stack: string, variables: string, findings: readonly Finding[]): void {
  const problems = findings.flatMap(({ problem, ...rest }) => (problem === undefined ? [] : [{ problem, ...rest }]));
  for (const { problem, service, detail } of problems) {
    const { meaning, remedy } = explain(problem, service, variables);
    say(`\n${bold(service)}: ${meaning}\n${yellow("  do:")} ${remedy}`);
    if (detail.includes("\n")) say(dim(detail));
  }
  say(
    problems.length === 0
      ? `\nAll of '${stack}' is well.`
      : `\n${problems.length} of ${findings.length} checks found a problem.`,
  );
}
