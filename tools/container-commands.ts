/** Finds the container and the command behind `make psql`, `make logs` and the other everyday commands. Pure. */
import { redisAdmin, redisFile } from "../common/redis-contract.ts";
import { UserError } from "../common/user-error.ts";
import type { Service, ServiceKind } from "../topology/service.ts";
import { type Topology, lastingServices, servicesOf } from "../topology/topology.ts";

/** A command in a service's container. */
export interface Access {
  readonly service: Service;
  /** `exec`: a command inside; `logs`: what it printed. */
  readonly how: "exec" | "logs";
  readonly command: readonly string[];
  /** The data that the command deletes; the user has to agree first. */
  readonly danger?: string;
  /** Whether its standard input has variables of the role that migrates, a line each, and an empty line. @default false */
  readonly migrates?: boolean;
  /** Servers of which one is the master now; the command is for that one. @default - it is for the service */
  readonly group?: readonly Service[];
}

export const accessCommands = [
  "psql",
  "redis-cli",
  "logs",
  "shell",
  "celery-status",
  "celery-purge",
  "migrate-up",
  "init-prod",
] as const;
export type AccessCommand = (typeof accessCommands)[number];

/**
 * The command for a request, from the plan.
 *
 * @param name name or kind of a service (`logs`, `shell`, `redis-cli`)
 * @throws {UserError} when the stack has no such service
 */
export function accessTo(topology: Topology, request: AccessCommand, name?: string): Access {
  const exec = (kind: ServiceKind, ...command: string[]): Access => ({
    service: first(topology, kind, request),
    how: "exec",
    command,
  });
  switch (request) {
    case "psql":
      return exec("database", "psql");
    case "redis-cli":
      return redisAccess(topology, name);
    case "logs":
      return { service: find(topology, name), how: "logs", command: [] };
    case "shell":
      return {
        service: find(topology, name),
        how: "exec",
        command: ["sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi"],
      };
    case "celery-status":
      return exec("worker", ...celeryOf(topology), "inspect", "active", "--timeout", "5");
    case "celery-purge": {
      const queues = [...new Set(servicesOf(topology, "worker").flatMap((worker) => worker.queues))];
      return {
        ...exec("worker", ...celeryOf(topology), "purge", "--force", "--queues", queues.join(",")),
        danger: `every task that waits in the queues ${queues.join(", ")}`,
      };
    }
    case "migrate-up":
      return asMigrator(exec("app", ...releaseCommand(topology, "migrate")));
    case "init-prod":
      return asMigrator(exec("app", ...releaseCommand(topology, "initialise")));
  }
}

/** A prompt at a named replica of Redis, or at a group, of which {@link masterOf} says which one is the master now. */
function redisAccess(topology: Topology, name: string | undefined): Access {
  const named = lastingServices(topology).find((one) => one.name === name && one.kind.endsWith("-replica"));
  const service = named ?? first(topology, name === "broker" ? "broker" : "cache", "redis-cli");
  return {
    service,
    how: "exec",
    command: redisAdmin.split(" "),
    ...(named === undefined && { group: groupOf(topology, service) }),
  };
}

const replicaKinds = { cache: "cache-replica", broker: "broker-replica" } as const;

/** The servers that Sentinels choose the master from; none without Sentinels. */
function groupOf(topology: Topology, { kind }: Service): readonly Service[] {
  if (kind !== "cache" && kind !== "broker") return [];
  const replicas = servicesOf(topology, replicaKinds[kind]);
  return replicas.length > 0 ? [...servicesOf(topology, kind), ...replicas] : [];
}

/**
 * The master of a group, as most Sentinels name it: the group's servers are asked one after another until one knows.
 *
 * @param ask runs a command in a service's container
 * @throws {UserError} when none does
 */
export function masterOf(group: readonly Service[], ask: (service: Service, ...command: string[]) => string): Service {
  for (const service of group) {
    const answer = ask(service, "sh", redisFile("master"), group[0]?.kind ?? "").trim();
    const master = group.find(({ published: [at] }) => at && answer === `${at.address} ${at.port}`);
    if (master) return master;
  }
  throw new UserError(
    `No majority of the Sentinels names the master. Name a server: SERVICE=${group.map(({ name }) => name).join("|")}`,
  );
}

const celeryOf = (topology: Topology): readonly string[] => servicesOf(topology, "worker")[0]?.celery ?? [];

function releaseCommand(topology: Topology, step: "migrate" | "initialise"): readonly string[] {
  const words = servicesOf(topology, "app")[0]?.release[step] ?? [];
  if (words.length > 0) return words;
  throw new UserError(`Stack '${topology.stack}' has no such command: its orion:app.${step} is empty.`);
}

/** The app's own role may not change tables. Variables come by standard input, because a process list shows arguments. */
const asMigrator = ({ command, ...access }: Access): Access => ({
  ...access,
  command: [
    "sh",
    "-c",
    'while IFS= read -r line && [ -n "$line" ]; do export "$line"; done; exec "$@"',
    "sh",
    ...command,
  ],
  migrates: true,
});

/** The arguments of `docker` for an access to a service's container. */
export function dockerArguments({ how, command }: Access, container: string, terminal: boolean): string[] {
  return how === "logs"
    ? ["logs", "--tail", "200", ...(terminal ? ["--follow"] : []), container]
    : ["exec", terminal ? "-it" : "-i", container, ...command];
}

function first(topology: Topology, kind: ServiceKind, request: string): Service {
  const [service] = servicesOf(topology, kind);
  if (!service) {
    throw new UserError(
      `make ${request} needs the service '${kind}', which stack '${topology.stack}' does not run. ${running(topology)}`,
    );
  }
  return service;
}

function find(topology: Topology, name: string | undefined): Service {
  const services = lastingServices(topology);
  const found = services.find((service) => service.name === name) ?? services.find((service) => service.kind === name);
  if (!found) {
    const problem = name === undefined ? "Name a service, as in SERVICE=app." : `There is no service '${name}'.`;
    throw new UserError(`${problem} ${running(topology)}`);
  }
  return found;
}

const running = (topology: Topology): string =>
  `Services: ${lastingServices(topology)
    .map(({ name }) => name)
    .join(", ")}`;
