/** From settings to the plan: which servers, containers, addresses and ports a stack has. Pure. */
import { type Queue, queues, type Settings } from "../config/schema.ts";
import { physicalName } from "./naming.ts";
import { formerPrimary, planLoadBalancers, planServers, replicaName } from "./servers.ts";
import { type Published, type Server, type Service, type ServiceKind, type Topology } from "./types.ts";

/** The ports that the services listen on inside their containers. */
export const containerPorts = {
  database: 5432,
  redis: 6379,
  app: 8000,
  flower: 5555,
  edge: 8080,
  edgeTls: 8443,
  edgeHealth: 8081,
  docs: 9991,
  pgbouncer: 6432,
  sentinel: 26379,
  etcd: 2379,
} as const;

const loopback = "127.0.0.1";

/** The plan of a stack. The same settings always give the same plan. */
export function plan(stack: string, settings: Settings): Topology {
  return settings.phase === "development" ? planDevelopment(stack, settings) : planServersAndServices(stack, settings);
}

/** Makes services with the names that follow from kind and number. */
function serviceFactory(stack: string, settings: Settings) {
  return (
    kind: ServiceKind,
    server: string,
    published: readonly Published[],
    more: Partial<Pick<Service, "name" | "follows" | "queues" | "concurrency">> = {},
  ): Service => {
    const { name = kind, ...rest } = more;
    return { name, kind, server, container: physicalName({ stack, phase: settings.phase }, name), published, ...rest };
  };
}

function planDevelopment(stack: string, settings: Settings): Topology {
  const service = serviceFactory(stack, settings);
  const on = new Set(settings.services);
  const { ports } = settings;
  const local = (port: number, containerPort: number): readonly Published[] => [
    { address: loopback, port, containerPort },
  ];
  const services: Service[] = [];

  if (settings.database.mode === "provision") {
    services.push(service("database", "local", local(ports.database, containerPorts.database)));
  }
  if (on.has("testDatabase")) {
    services.push(service("test-database", "local", local(ports.testDatabase, containerPorts.database)));
  }
  if (on.has("cache") && settings.cache.mode === "provision") {
    services.push(service("cache", "local", local(ports.cache, containerPorts.redis)));
  }
  if (on.has("app") || on.has("workers")) services.push(service("release", "local", []));
  if (on.has("app")) {
    // Only the first instance can have the well-known port; the edge spreads over all.
    for (let n = 1; n <= settings.app.instances; n++) {
      services.push(service("app", "local", n === 1 ? local(ports.app, containerPorts.app) : [], { name: `app-${n}` }));
    }
  }
  if (on.has("workers")) services.push(...planWorkers(settings, ["local"], service));
  if (on.has("beat")) services.push(service("beat", "local", []));
  if (on.has("flower")) services.push(service("flower", "local", local(ports.flower, containerPorts.flower)));
  if (on.has("edge")) services.push(service("edge", "local", local(ports.edge, containerPorts.edge)));
  if (on.has("docs")) services.push(service("docs", "local", local(ports.docs, containerPorts.docs)));

  return { stack, phase: settings.phase, servers: [], services, loadBalancers: [] };
}

function planServersAndServices(stack: string, settings: Settings): Topology {
  const service = serviceFactory(stack, settings);
  const servers = planServers(settings);
  const byRole = (role: Server["role"]) => servers.filter((server) => server.role === role);
  const [core] = byRole("core");
  if (!core) throw new Error(`phase ${settings.phase} has no core server; the presets are wrong`);
  const on = new Set(settings.services);
  const at = (server: Server, port: number): readonly Published[] => [
    { address: server.privateAddress, port, containerPort: port },
  ];
  // Apps and workers live on the core server until they have servers of their own.
  const appServers = byRole("app").length > 0 ? byRole("app") : [core];
  const workerServers = byRole("worker").length > 0 ? byRole("worker") : [core];
  const services: Service[] = [];

  if (settings.database.mode === "provision") {
    const following = (server: Server, { privateAddress }: Pick<Server, "privateAddress">) => {
      return { name: replicaName(server.name), follows: `${privateAddress}:${containerPorts.database}` };
    };
    const former = formerPrimary(core.name);
    const promoted = former && following(core, former);
    services.push(
      service("database", core.name, at(core, containerPorts.database), promoted),
      ...byRole("db").map((server) =>
        service("replica", server.name, at(server, containerPorts.database), following(server, core)),
      ),
    );
    if (settings.phase === "ha") {
      for (const [index, server] of [core, ...byRole("db")].entries()) {
        services.push(service("etcd", server.name, at(server, containerPorts.etcd), { name: `etcd-${index + 1}` }));
      }
    }
  }
  if (settings.storage.backend === "r2") {
    // A replica has the same data and less to do. Where files are local, backups would lie beside what they are to replace.
    services.push(service("backup", (byRole("db")[0] ?? core).name, []));
  }
  if (on.has("cache") && settings.cache.mode === "provision") {
    services.push(
      service("cache", core.name, at(core, containerPorts.redis)),
      service("broker", core.name, [{ address: core.privateAddress, port: 6380, containerPort: containerPorts.redis }]),
    );
    const members = byRole("cache");
    members.forEach((server, index) => {
      services.push(
        service("cache-replica", server.name, at(server, containerPorts.redis), { name: `cache-replica-${index + 1}` }),
      );
    });
    if (members.length > 0) {
      for (const [index, server] of [core, ...members].entries()) {
        const name = `sentinel-${index + 1}`;
        services.push(service("sentinel", server.name, at(server, containerPorts.sentinel), { name }));
      }
    }
  }

  services.push(service("release", core.name, []));
  appServers.forEach((server, serverIndex) => {
    for (let n = 1; n <= settings.app.instances; n++) {
      const number = serverIndex * settings.app.instances + n;
      // The edge beside an app reaches it over the container network: nothing is published.
      services.push(service("app", server.name, [], { name: `app-${number}` }));
    }
    const name = `edge-${serverIndex + 1}`;
    // The firewall decides who may reach these; behind a load balancer it is its private address alone.
    const address = server.publicWeb ? "0.0.0.0" : server.privateAddress;
    const visited = [
      { address, port: 80, containerPort: containerPorts.edge },
      { address, port: 443, containerPort: containerPorts.edgeTls },
    ];
    services.push(
      service("edge", server.name, [...visited, ...(server.publicWeb ? [] : at(server, containerPorts.edgeHealth))], {
        name,
      }),
    );
  });
  services.push(
    ...planWorkers(
      settings,
      workerServers.map((server) => server.name),
      service,
    ),
    service("beat", workerServers[0]?.name ?? core.name, []),
    service("flower", workerServers[0]?.name ?? core.name, [
      { address: loopback, port: containerPorts.flower, containerPort: containerPorts.flower },
    ]),
  );
  if (settings.phase === "enterprise" || settings.phase === "ha") {
    [...appServers, ...workerServers].forEach((server, index) => {
      services.push(service("pgbouncer", server.name, [], { name: `pgbouncer-${index + 1}` }));
    });
    for (const server of byRole("monitor")) services.push(service("monitoring", server.name, at(server, 3000)));
    for (const [index, server] of servers.entries()) {
      services.push(service("exporter", server.name, at(server, 9100), { name: `exporter-${index + 1}` }));
    }
  }
  return { stack, phase: settings.phase, servers, services, loadBalancers: planLoadBalancers(settings) };
}

function planWorkers(
  settings: Settings,
  servers: readonly string[],
  service: ReturnType<typeof serviceFactory>,
): Service[] {
  const { concurrency, dedicated } = settings.workers;
  const isOwn = (queue: Queue) => (Array.isArray(dedicated) ? dedicated.includes(queue) : dedicated);
  const together = queues.filter((queue) => !isOwn(queue));
  const groupOf = (name: string, served: readonly Queue[]) => ({
    ...{ name, queues: served, concurrency: served.reduce((total, queue) => total + concurrency[queue], 0) },
  });
  const groups = [
    ...queues.filter(isOwn).map((queue) => groupOf(`worker-${queue}`, [queue])),
    ...(together.length > 0 ? [groupOf("worker", together)] : []),
  ];
  return servers.flatMap((server, index) =>
    groups.map((group) =>
      service("worker", server, [], {
        name: `${group.name}-${index + 1}`,
        queues: group.queues,
        concurrency: group.concurrency,
      }),
    ),
  );
}
