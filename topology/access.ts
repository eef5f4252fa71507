/** How each component is reached: addresses, and the commands of everyday troubleshooting. Pure. */
import { type Service, type ServiceKind, type Topology } from "./types.ts";

const schemes: Partial<Record<ServiceKind, string>> = {
  database: "postgresql",
  "test-database": "postgresql",
  replica: "postgresql",
  cache: "redis",
  broker: "redis",
};

/** Where each service that publishes a port is reached, by the service's name. */
export function endpointsOf(topology: Topology): Record<string, string> {
  return Object.fromEntries(
    topology.services.flatMap(({ name, kind, published }) =>
      published.slice(0, 1).map(({ address, port }) => [name, `${schemes[kind] ?? "http"}://${address}:${port}`]),
    ),
  );
}

/** A way to a component. */
export interface AccessCommand {
  /** What for: `logs`, `shell`, `psql`. */
  readonly purpose: string;
  /** The command line on the machine that the component runs on. */
  readonly command: string;
}

const celery = "celery -A app.celery";
const shell = "sh -c 'command -v bash >/dev/null && exec bash || exec sh'";
const psql: Readonly<Record<string, string>> = {
  psql: "psql",
  "what it does": `psql -c "SELECT pid, state, now() - query_start AS runs, left(query, 80) AS query FROM pg_stat_activity WHERE state <> 'idle'"`,
};
const redis: Readonly<Record<string, string>> = { "redis-cli": "redis-cli", "what it does": "redis-cli monitor" };

/** Programs inside the containers of a kind, by what they are for. */
const inside: Partial<Record<ServiceKind, Readonly<Record<string, string>>>> = {
  database: psql,
  "test-database": psql,
  replica: psql,
  cache: redis,
  broker: redis,
  app: { "migration it is at": "alembic current" },
  worker: {
    "what it does": `${celery} inspect active`,
    "what it has before it": `${celery} inspect reserved`,
  },
  edge: { "its configuration": "nginx -T -c /etc/orion/edge/current/nginx.conf" },
};

/** What runs on the server itself: a timer with its scripts. */
const backup: readonly AccessCommand[] = [
  { purpose: "those that there are", command: "orion-backup list" },
  { purpose: "one now", command: "systemctl start orion-backup" },
  { purpose: "restore drill", command: "orion-restore-drill" },
  { purpose: "logs", command: "journalctl --unit orion-backup --lines 200 --follow" },
];

/** Every command for a service, on the machine that it runs on. */
export function commandsFor(topology: Topology, service: Service): readonly AccessCommand[] {
  if (service.kind === "backup") return backup;
  const container = containerOf(topology, service);
  const programs = Object.entries({ ...inside[service.kind], shell });
  return [
    ...programs.map(([purpose, program]) => ({ purpose, command: `docker exec -it ${container} ${program}` })),
    { purpose: "logs", command: `docker logs --tail 200 --follow ${container}` },
    { purpose: "restart", command: `docker restart ${container}` },
  ];
}

/**
 * On a server the engine gives containers of apps and workers their names, since an old and a new one may stand side by
 * side: the newest one with the service's label is it.
 */
const containerOf = ({ servers }: Topology, { name, container }: Service): string =>
  servers.length === 0 ? container : `$(docker ps -aqf label=service=${name} | head -1)`;
